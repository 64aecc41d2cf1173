// The plugin: the panel at the side, its commands in the palette, and what other plugins share.

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, ReactWidget } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import React from 'react';

import { Api } from './api';
import { CATEGORY, Commands, IBench, type Bench } from './bench';
import { addDataMark } from './data_mark';
import { Desk } from './desk';
import { addStyles, benchIcon } from './look';
import { isNarrow, sidesOf } from './narrow';
import { PanelView } from './panel_view';
import { addResultFactory } from './result';
import { hasEnded, Trials } from './trials';
import { fetchWords } from './words';

const PANEL = 'wardbook-bench-panel';

export const panel: JupyterFrontEndPlugin<Bench> = {
  id: 'wardbook-bench:panel',
  autoStart: true,
  provides: IBench,
  requires: [IDocumentManager, NotebookPanel.IContentFactory, IEditorServices, IRenderMimeRegistry],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    documents: IDocumentManager,
    contentFactory: NotebookPanel.IContentFactory,
    editors: IEditorServices,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): Promise<Bench> => {
    addStyles();
    const api = new Api();
    const widget = new Frame();
    restorer?.add(widget, PANEL);
    app.shell.add(widget, 'right', { rank: 1, type: 'Wardbook' });
    const words = fetchWords(api);
    words.catch(() => widget.tellSilence(app));
    return words.then(({ say, language }) => {
      const desk = new Desk(app, documents, api, say, language);
      const trials = new Trials(desk);
      addResultFactory(app.docRegistry, contentFactory, editors, rendermime, say);
      addDataMark(app.docRegistry, desk);
      addCommands(app, desk, trials);
      widget.show_(desk);
      addKeys(app);
      for (const command of Object.values(Commands)) {
        palette?.addItem({ command, category: CATEGORY });
      }
      reveal(app, desk);
      return desk;
    });
  }
};

/** The panel's place at the side; what it shows comes with the words. */
class Frame extends ReactWidget {
  private desk: Desk | null = null;
  private isSilent = false;

  constructor() {
    super();
    this.id = PANEL;
    this.addClass('wb-panel');
    this.title.icon = benchIcon;
    this.title.caption = CATEGORY;
  }

  show_(desk: Desk): void {
    this.desk = desk;
    this.title.caption = desk.say('panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', desk.say('panel'));
    this.update();
  }

  /** Say that the bench's server does not answer; the words that it would bring are not there. */
  tellSilence(app: JupyterFrontEnd): void {
    this.isSilent = true;
    this.update();
    void app.restored.then(() => app.shell.activateById(PANEL));
  }

  protected render(): JSX.Element | null {
    return this.isSilent ? <Silence /> : this.desk && <PanelView desk={this.desk} />;
  }

  protected onActivateRequest(): void {
    this.node.tabIndex = -1;
    this.node.focus();
  }
}

/** What is shown where not even the words could be fetched: in both languages, for want of them. */
function Silence(): JSX.Element {
  return (
    <div role="alert" className="wb-problem">
      <p lang="fr">
        L’atelier ne répond pas. Vos fichiers restent à leur place. Rechargez la page ; si rien ne
        change, relancez « wardbook lab » dans un terminal.
      </p>
      <p lang="en">
        The bench does not answer. Your files stay where they are. Reload the page; if nothing
        changes, type “wardbook lab” again in a terminal.
      </p>
      <button className="jp-mod-styled" onClick={() => window.location.reload()}>
        Recharger / Reload
      </button>
    </div>
  );
}

/** Show the panel when the page opens; a narrow window is the notebook's until it is asked for. */
function reveal(app: JupyterFrontEnd, desk: Desk): void {
  void app.restored.then(() => {
    const sides = sidesOf(app);
    if (isNarrow()) {
      sides?.collapseLeft();
      sides?.collapseRight();
    } else if (sides?.rightCollapsed) {
      sides.expandRight();
    }
    desk.draw();
  });
}

function addCommands(app: JupyterFrontEnd, desk: Desk, trials: Trials): void {
  const { say } = desk;
  const { commands } = app;
  const add = (id: string, name: string, isEnabled: () => boolean, work: () => Promise<void>) =>
    commands.addCommand(id, {
      label: say(name),
      caption: say(`${name}_caption`),
      isEnabled,
      execute: () => desk.attempt(say(`${name}_busy`), work)
    });
  const trial = () => desk.kept.trial;
  const runs = () => trial()?.state === 'running';

  commands.addCommand(Commands.show, {
    label: say('show'),
    execute: () => {
      if (isNarrow()) sidesOf(app)?.collapseLeft();
      app.shell.activateById(PANEL);
    }
  });
  add(
    Commands.run,
    'run',
    () => desk.card !== null && !runs(),
    () => trials.start()
  );
  add(Commands.cancel, 'cancel', runs, () => trials.cancel());
  add(
    Commands.result,
    'result',
    () => Boolean(trial()?.executed) && !runs(),
    () => trials.showResult()
  );
  add(
    Commands.leaving,
    'leaving',
    () => hasEnded(trial()),
    async () => {
      await trials.showLeaving();
      app.shell.activateById(PANEL);
      requestAnimationFrame(() => {
        const heading = document.getElementById('wb-leaving');
        heading?.focus();
        heading?.scrollIntoView({ block: 'start' });
      });
    }
  );
  add(
    Commands.preview,
    'preview',
    () => Boolean(trial()?.preview),
    async () => trials.showPreview()
  );
  desk.changed.connect(() => {
    for (const id of Object.values(Commands)) {
      if (commands.hasCommand(id)) commands.notifyCommandChanged(id);
    }
  });
  // Other plugins' commands come later: their buttons are drawn when they are there.
  commands.commandChanged.connect((_, { type, id }) => {
    if (type === 'added' && id?.startsWith('wardbook:')) desk.draw();
  });
}

function addKeys(app: JupyterFrontEnd): void {
  // Alt+B, then a letter: keys that no browser, no editor and no keyboard's AltGr has taken.
  const keys: Record<string, string> = {
    [Commands.show]: 'W',
    [Commands.run]: 'R',
    [Commands.cancel]: 'X',
    [Commands.leaving]: 'L',
    [Commands.preview]: 'P',
    [Commands.compareVersion]: 'C',
    [Commands.submit]: 'S'
  };
  for (const [command, key] of Object.entries(keys)) {
    app.commands.addKeyBinding({ command, keys: ['Alt B', key], selector: 'body' });
  }
}
