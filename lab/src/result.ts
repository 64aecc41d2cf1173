// The executed notebook, shown to be read: it takes no edit, and no kernel is started for it.

import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { NotebookPanel, NotebookWidgetFactory } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';

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
    toolbarFactory: () => []
  });
  registry.addWidgetFactory(factory);
}
