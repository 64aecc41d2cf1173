// On a phone, one of JupyterLab's three parts is seen at a time.

import { LabShell, type JupyterFrontEnd } from '@jupyterlab/application';

const ROOMY = 900;

/** Whether the window has no room for the panel beside the notebook. */
export function isNarrow(): boolean {
  return window.innerWidth < ROOMY;
}

/** The shell, where it has sides. */
export function sidesOf(app: JupyterFrontEnd): LabShell | null {
  return app.shell instanceof LabShell ? app.shell : null;
}
