// The mark in a notebook's own toolbar of which data its request is given: real ones, or twins.

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Widget } from '@lumino/widgets';

import { keyOf, type Desk } from './desk';

type Context = DocumentRegistry.IContext<INotebookModel>;

export function addDataMark(registry: DocumentRegistry, desk: Desk): void {
  const createNew = (notebook: NotebookPanel, context: Context): IDisposable => {
    const mark = new Widget();
    mark.addClass('wb-data-mark');
    const draw = () => {
      const card = desk.keptOf(keyOf(context.path)).card;
      mark.setHidden(card === null);
      mark.node.textContent = card && desk.say(`data_${card.data}`);
      mark.node.dataset['data'] = card?.data ?? '';
    };
    if (keyOf(context.path)) {
      draw();
      desk.changed.connect(draw);
      notebook.toolbar.insertItem(0, 'wardbook-data', mark);
    }
    return new DisposableDelegate(() => {
      desk.changed.disconnect(draw);
      mark.dispose();
    });
  };
  registry.addWidgetExtension('Notebook', { createNew });
}
