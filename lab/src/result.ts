// The executed notebook, shown to be read: it takes no edit, and no kernel is started for it.

import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { NotebookPanel, NotebookWidgetFactory } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

import type { Say } from './words';

export const RESULT = 'wardbook-result';

export function addResultFactory(
  registry: DocumentRegistry,
  contentFactory: NotebookPanel.IContentFactory,
  editors: IEditorServices,
  rendermime: IRenderMimeRegistry,
  say: Say
): void {
  const factory = new NotebookWidgetFactory({
    name: RESULT,
    label: say('result'),
    fileTypes: ['notebook'],
    modelName: 'notebook',
    readOnly: true,
    preferKernel: false,
    canStartKernel: false,
    autoStartDefault: false,
    shutdownOnClose: true,
    rendermime,
    contentFactory,
    mimeTypeService: editors.mimeTypeService,
    toolbarFactory: () => [{ name: 'wardbook-result', widget: tellWhatItIs(say) }]
  });
  registry.addWidgetFactory(factory);
}

/** Have its cells take no edit; that is no change of the document, which would ask to be saved. */
export function closeToEdits(result: NotebookPanel): void {
  for (const cell of result.content.widgets) {
    cell.syncEditable = false;
    cell.readOnly = true;
  }
}

function tellWhatItIs(say: Say): Widget {
  const told = new Widget();
  told.addClass('wb-result-mark');
  told.node.textContent = say('result_mark');
  return told;
}
