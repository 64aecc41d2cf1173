import { compare } from './compare';
import { launcher } from './launcher';
import { panel } from './panel';
import { submit } from './submit';

export default [panel, launcher, compare, submit];
