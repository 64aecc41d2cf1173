// Compare: nbdime's view of the notebook beside its last version, or beside what was released.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator } from '@jupyterlab/translation';
import { NbdimeWidget } from 'nbdime-jupyterlab/lib/widget';

import { Commands, IBench, type Bench } from './bench';
import { besideOf, bringToFront } from './narrow';

type Against = 'version' | 'release';

export const compare: JupyterFrontEndPlugin<void> = {
  id: 'wardbook-bench:compare',
  autoStart: true,
  requires: [IBench, IRenderMimeRegistry, IEditorServices],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    bench: Bench,
    rendermime: IRenderMimeRegistry,
    editors: IEditorServices,
    translator: ITranslator | null
  ) => {
    const tools = {
      rendermime,
      editorFactory: editors.factoryService.newInlineEditor,
      ...(translator && { translator })
    };
    addCommand(app, bench, Commands.compareVersion, 'version', tools);
    addCommand(app, bench, Commands.compareRelease, 'release', tools);
  }
};

type Tools = Pick<NbdimeWidget.IOptions, 'rendermime' | 'editorFactory' | 'translator'>;

function addCommand(
  app: JupyterFrontEnd,
  bench: Bench,
  command: string,
  against: Against,
  tools: Tools
): void {
  app.commands.addCommand(command, {
    label: bench.say(`compare_${against}`),
    isEnabled: () => bench.card !== null && !bench.card.is_try,
    execute: async () => {
      try {
        await show(app, bench, against, tools);
      } catch (problem) {
        bench.showProblem(problem);
      }
    }
  });
  bench.cardChanged.connect(() => app.commands.notifyCommandChanged(command));
}

async function show(
  app: JupyterFrontEnd,
  bench: Bench,
  against: Against,
  tools: Tools
): Promise<void> {
  const card = bench.card;
  if (card === null) {
    return;
  }
  await bench.save();
  const { base, remote, base_label, remote_label } = await bench.api.compare(card.key, against);
  const view = new NbdimeWidget({
    ...tools,
    base,
    remote,
    baseLabel: base_label,
    remoteLabel: remote_label,
    hideUnchanged: true
  });
  view.title.label = bench.say('compare_title', { key: card.key });
  view.title.caption = `${base_label} → ${remote_label}`;
  // What an earlier comparison of the same two shows is no longer what is.
  for (const earlier of app.shell.widgets('main')) {
    if (earlier.id === view.id) {
      earlier.dispose();
      break;
    }
  }
  bench.claim(view, card.key);
  app.shell.add(view, 'main', besideOf(bench.notebook));
  bringToFront(app, view);
}
