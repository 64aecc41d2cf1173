import { LabIcon } from '@jupyterlab/ui-components';

import bench from '../style/bench.css';
import forms from '../style/forms.css';
import svg from '../style/bench.svg';

export const benchIcon = new LabIcon({ name: 'wardbook-bench:icon', svgstr: svg });

/** Give the page the bench's styles. */
export function addStyles(): void {
  const style = document.createElement('style');
  style.textContent = bench + forms;
  document.head.append(style);
}
