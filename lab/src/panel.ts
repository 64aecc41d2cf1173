import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

export const panel: JupyterFrontEndPlugin<void> = {
  id: 'wardbook-bench:panel',
  autoStart: true,
  activate: () => undefined
};
