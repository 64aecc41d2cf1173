import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

export const launcher: JupyterFrontEndPlugin<void> = {
  id: 'wardbook-bench:launcher',
  autoStart: true,
  activate: () => undefined
};
