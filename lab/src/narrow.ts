// On a phone, one of JupyterLab's three parts is seen at a time.

import { LabShell, type JupyterFrontEnd } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';

const ROOMY = 900;

/** Whether the window has no room for the panel beside the notebook. */
export function isNarrow(): boolean {
  return window.innerWidth < ROOMY;
}

/** The shell, where it has sides. */
export function sidesOf(app: JupyterFrontEnd): LabShell | null {
  return app.shell instanceof LabShell ? app.shell : null;
}

/** Where to open what belongs to a notebook: beside it, or behind it where there is no room. */
export function besideOf(notebook: Widget | null) {
  return { mode: isNarrow() ? 'tab-after' : 'split-right', ref: notebook?.id ?? null } as const;
}

/** Show a widget of the main area; the panel makes room where there is none. */
export function bringToFront(app: JupyterFrontEnd, widget: Widget): void {
  if (isNarrow()) sidesOf(app)?.collapseRight();
  app.shell.activateById(widget.id);
}
