// Run as production: begin a trial, watch it, and show what it came to.

import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import { NotebookPanel } from '@jupyterlab/notebook';

import { Problem, type Trial } from './api';
import type { Desk } from './desk';
import { benchIcon } from './look';
import { besideOf, bringToFront } from './narrow';
import { closeToEdits, RESULT } from './result';

const LOOK_MILLISECONDS = 500;

export class Trials {
  private readonly watched = new Set<string>();
  private readonly results = new Map<string, IDocumentWidget>();
  private readonly previews = new Map<string, MainAreaWidget<IFrame>>();

  constructor(private readonly desk: Desk) {
    // A trial goes on when the page is loaded anew.
    desk.cardChanged.connect(() => this.watch(desk.key));
  }

  async start(): Promise<void> {
    const { desk } = this;
    const key = desk.key;
    await desk.save();
    const trial = await desk.api.startTrial(key);
    const kept = desk.keptOf(key);
    kept.trial = trial;
    kept.leaving = null;
    desk.draw();
    if (trial.state === 'running') this.watch(key);
    else await this.finish(key);
  }

  async cancel(): Promise<void> {
    const { key, kept, api } = this.desk;
    if (kept.trial) kept.trial = await api.cancelTrial(key, kept.trial.id);
    this.desk.draw();
  }

  /** Ask how a trial stands until it ended; a server that is away for a while is waited for. */
  private watch(key: string): void {
    if (this.watched.has(key) || this.desk.keptOf(key).trial?.state !== 'running') return;
    this.watched.add(key);
    this.follow(key)
      .then(() => this.finish(key))
      .catch(problem => this.desk.problemOf(key, problem))
      .finally(() => this.watched.delete(key));
  }

  private async follow(key: string): Promise<void> {
    const kept = this.desk.keptOf(key);
    while (kept.trial?.state === 'running') {
      await new Promise(done => setTimeout(done, LOOK_MILLISECONDS));
      try {
        kept.trial = await this.desk.api.trial(key, kept.trial.id);
        kept.lost = false;
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.status) throw problem;
        kept.lost = true;
      }
      this.desk.draw();
    }
  }

  private async finish(key: string): Promise<void> {
    await this.desk.refresh(key);
    const { trial } = this.desk.keptOf(key);
    if (this.desk.key !== key) return;
    if (hasEnded(trial)) {
      await Promise.all([this.showResult(false), this.showLeaving()]);
    } else if (this.results.get(key)?.isDisposed === false) {
      await this.showResult(false); // an earlier trial's would pass for this one's
    }
  }

  /** Open the executed notebook beside the analyst's: to be read, without a kernel. */
  async showResult(activate = true): Promise<void> {
    const { key, kept, app, documents, notebook } = this.desk;
    const path = kept.trial?.executed;
    if (!path) return;
    const before = this.results.get(key);
    const old = before?.isDisposed ? undefined : before;
    if (old?.context.path === path) {
      await old.context.revert(); // the same trial, executed again
      if (old instanceof NotebookPanel) closeToEdits(old);
      if (activate) bringToFront(app, old);
      return;
    }
    const preview = this.previews.get(key);
    const there = old ?? (preview?.isDisposed ? undefined : preview);
    const beside = there
      ? ({ mode: 'tab-after', ref: there.id } as const)
      : besideOf(notebook);
    const widget = documents.open(path, RESULT, undefined, { ...beside, activate: false });
    if (!widget) return;
    this.results.set(key, widget);
    this.desk.claim(widget, key);
    // Never its label: a document whose tab is named anew is renamed on the disk.
    widget.title.icon = benchIcon;
    widget.title.caption = this.desk.say('result_title', { key });
    old?.dispose();
    if (activate) bringToFront(app, widget);
    await widget.context.ready;
    if (widget instanceof NotebookPanel) {
      await widget.revealed;
      closeToEdits(widget);
    }
  }

  /** Show the report as it would stand on the site. */
  showPreview(): void {
    const { key, kept, app, say, notebook } = this.desk;
    const address = kept.trial?.preview;
    if (!address) return;
    let widget = this.previews.get(key);
    if (!widget || widget.isDisposed) {
      // Its own pictures and styles need the page's login; without scripts that opens nothing.
      const content = new IFrame({ sandbox: ['allow-same-origin', 'allow-downloads'] });
      content.node.querySelector('iframe')?.setAttribute('title', say('preview_title', { key }));
      widget = new MainAreaWidget({ content });
      widget.id = `wardbook-preview-${key}`;
      widget.title.label = say('preview_title', { key });
      widget.title.icon = benchIcon;
      widget.title.closable = true;
      this.previews.set(key, widget);
      this.desk.claim(widget, key);
      const result = this.results.get(key);
      app.shell.add(
        widget,
        'main',
        result && !result.isDisposed
          ? { mode: 'tab-after', ref: result.id }
          : besideOf(notebook)
      );
    }
    widget.content.url = '';
    widget.content.url = address;
    bringToFront(app, widget);
  }

  /** Fetch what would leave; the panel shows it. */
  async showLeaving(): Promise<void> {
    const { key, kept, api } = this.desk;
    if (!kept.trial) return;
    kept.leaving = await api.leaving(key, kept.trial.id);
    this.desk.draw();
  }
}

/** Whether a trial came to a report. */
export function hasEnded(trial: Trial | null): trial is Trial {
  return trial?.state === 'ended';
}
