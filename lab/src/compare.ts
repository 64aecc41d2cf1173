// Adds the commands `Commands.compareVersion`, `Commands.compareRelease` and `Commands.submit`.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

export const compare: JupyterFrontEndPlugin<void> = {
  id: 'wardbook-bench:compare',
  autoStart: true,
  activate: () => undefined
};
