import { compare } from './compare';
import { launcher } from './launcher';
import { panel } from './panel';

export default [panel, launcher, compare];
