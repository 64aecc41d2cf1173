// The bench in the browser: which request is in front, and what is known of it.

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

import { Problem, type Api, type Card, type Data, type Leaving, type Trial } from './api';
import type { ListedRequest } from './api';
import type { Bench } from './bench';
import { isNarrow, sidesOf } from './narrow';
import type { Say } from './words';

/** What the panel keeps of a request while the page lives. */
export interface Kept {
  card: Card | null;
  trial: Trial | null;
  leaving: Leaving | null;
  problem: Problem | null;
  warnings: string[];
  told: string;
  /** The kernels still have the data that were chosen before. */
  restart: boolean;
  /** The server does not answer; it is asked again. */
  lost: boolean;
}

const REQUEST = /(?:^|\/)([A-Z][A-Z0-9_]{0,29}-[1-9][0-9]{0,9})\/requests\/\1\/[^/]+\.ipynb$/;
const TRY = /(?:^|\/)try\/([a-z][a-z0-9_]{0,47}-[1-9][0-9]{0,3})\/(?:.*\/)?[^/]+\.ipynb$/;
const MARK = 'wb-marked';

/** Return the key of the request, or of the try, whose notebook lies there. */
export function keyOf(path: string): string {
  const tried = TRY.exec(path)?.[1];
  return REQUEST.exec(path)?.[1] ?? (tried ? `try-${tried}` : '');
}

export class Desk implements Bench {
  readonly changed = new Signal<Desk, void>(this);
  readonly cardChanged: Signal<Bench, void> = new Signal<Bench, void>(this);

  /** The requests that can be opened; null until they were fetched. */
  listed: ListedRequest[] | null = null;
  /** The analyst wants to see the list, though a request is in front. */
  choosing = false;
  /** What the panel waits for; "" where it waits for nothing. */
  busy = '';

  private front = '';
  private readonly known = new Map<string, Kept>();
  private readonly claimed = new WeakMap<Widget, string>();
  private readonly heard = new WeakSet<Widget>();

  constructor(
    readonly app: JupyterFrontEnd,
    readonly documents: IDocumentManager,
    readonly api: Api,
    readonly say: Say,
    readonly language: string
  ) {
    app.shell.currentChanged?.connect(() => this.look());
    void app.restored.then(() => this.look(true));
  }

  get key(): string {
    return this.front;
  }

  /** What is kept of the request in front; where none is, of the list. */
  get kept(): Kept {
    return this.keptOf(this.front);
  }

  get card(): Card | null {
    return this.kept.card;
  }

  get notebook(): NotebookPanel | null {
    return this.notebookOf(this.front);
  }

  keptOf(key: string): Kept {
    let kept = this.known.get(key);
    if (!kept) {
      const nothing = { card: null, trial: null, leaving: null, problem: null };
      kept = { ...nothing, warnings: [], told: '', restart: false, lost: false };
      this.known.set(key, kept);
    }
    return kept;
  }

  notebookOf(key: string): NotebookPanel | null {
    if (key) {
      for (const widget of this.app.shell.widgets('main')) {
        if (widget instanceof NotebookPanel && keyOf(widget.context.path) === key) return widget;
      }
    }
    return null;
  }

  claim(widget: Widget, key: string): void {
    this.claimed.set(widget, key);
  }

  /** Tell the panel that something changed. */
  draw(): void {
    this.changed.emit();
  }

  async refresh(key = this.front): Promise<void> {
    if (!key) return this.list();
    const card = await this.api.card(key);
    this.show(key, card);
  }

  /** Take a card that the server sent. */
  show(key: string, card: Card): void {
    const kept = this.keptOf(key);
    kept.card = card;
    // An answer that was under way when a trial began knows an earlier one.
    if ((card.trial?.started ?? '') >= (kept.trial?.started ?? '')) {
      if (kept.trial?.id !== card.trial?.id) kept.leaving = null;
      kept.trial = card.trial;
    }
    this.draw();
    if (key === this.front) this.cardChanged.emit();
  }

  async list(): Promise<void> {
    this.listed = await this.api.requests();
    this.draw();
  }

  async save(): Promise<void> {
    for (const context of this.unsaved()) {
      try {
        await context.save();
      } catch {
        // Whatever it was: it is in the page still, and only there.
      }
      if (!context.model.dirty) continue;
      throw new Problem(this.say('save_failed'), this.say('save_failed_next'));
    }
  }

  async open(key: string): Promise<void> {
    const opened = await this.api.open(key);
    this.keptOf(key).warnings = opened.warnings;
    this.show(key, opened.card);
    await this.openPath(opened.path);
  }

  async openPath(path: string): Promise<void> {
    const widget = this.documents.openOrReveal(path);
    if (widget instanceof NotebookPanel) await widget.context.ready;
    this.choosing = false;
    this.look();
  }

  async chooseData(data: Data): Promise<void> {
    const key = this.front;
    const { card, restart } = await this.api.chooseData(key, data);
    const runs = Boolean(this.notebookOf(key)?.sessionContext.session?.kernel);
    this.keptOf(key).restart = restart && runs;
    this.show(key, card);
  }

  async restartKernels(): Promise<void> {
    await this.notebook?.sessionContext.restartKernel();
    this.kept.restart = false;
    this.tell(this.say('restarted'));
  }

  /** Never waits for what the panel is busy with: nothing but the page itself is asked. */
  async goToCell(index: number): Promise<void> {
    const key = this.front;
    await this.markCell(index).catch(problem => this.problemOf(key, problem));
  }

  private async markCell(index: number): Promise<void> {
    const path = this.card?.notebook;
    if (!path) return;
    await this.openPath(path);
    const notebook = this.notebook;
    if (!notebook) return;
    await notebook.revealed;
    if (isNarrow()) sidesOf(this.app)?.collapseRight();
    const { content } = notebook;
    content.activeCellIndex = index;
    content.deselectAll();
    await content.scrollToItem(index, 'center');
    const wanted = content.widgets[index];
    content.widgets.forEach(cell => cell.toggleClass(MARK, cell === wanted));
    const unmark = () => {
      content.widgets.forEach(cell => cell.removeClass(MARK));
      content.activeCellChanged.disconnect(unmark);
    };
    content.activeCellChanged.connect(unmark);
    content.mode = 'command';
    content.activate();
  }

  /**
   * Do something for the analyst: what goes wrong is shown in the panel. One thing at a time; the
   * buttons say that they wait.
   */
  async attempt(busy: string, work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    const key = this.front;
    this.busy = busy;
    this.keptOf(key).problem = null;
    this.keptOf(key).told = '';
    this.draw();
    try {
      await work();
    } catch (problem) {
      this.problemOf(key, problem);
    } finally {
      this.busy = '';
      this.draw();
    }
  }

  showProblem(problem: unknown): void {
    this.problemOf(this.front, problem);
  }

  tell(text: string): void {
    this.kept.told = text;
    this.draw();
  }

  problemOf(key: string, problem: unknown): void {
    const told =
      problem instanceof Problem || problem === null
        ? problem
        : new Problem(this.say('defect', { error: (problem as Error)?.name ?? 'Error' }));
    this.keptOf(key).problem = told;
    this.draw();
  }

  /** The notebook of the request in front, and what else lies in its folder, where it was edited. */
  private unsaved(): DocumentRegistry.Context[] {
    const folder = PathExt.dirname(this.card?.notebook ?? '');
    const open = [...this.app.shell.widgets('main')]
      .map(widget => this.documents.contextForWidget(widget))
      .filter(context => context !== undefined)
      .filter(({ path, model }) => PathExt.dirname(path) === folder && model.dirty);
    return folder ? [...new Set(open)] : [];
  }

  /** Look at the card again when the notebook was saved: what was tried may not be current. */
  private followSaves(): void {
    const notebook = this.notebook;
    const key = this.front;
    if (!notebook || this.heard.has(notebook)) return;
    this.heard.add(notebook);
    notebook.context.saveState.connect((_, state) => {
      if (state !== 'completed') return;
      this.refresh(key).catch(problem => this.problemOf(key, problem));
    });
  }

  /** Follow the main area: its documents belong to a request or to none. */
  private look(first = false): void {
    const current = this.app.shell.currentWidget;
    const found = current === null ? '' : this.belongsTo(current);
    const key = found ?? (this.notebook ? this.front : '');
    if (key === this.front && !first) return this.followSaves();
    this.front = key;
    this.choosing = false;
    this.followSaves();
    this.draw();
    this.cardChanged.emit();
    this.refresh(key).catch(problem => this.problemOf(key, problem));
  }

  /** Return the key of a widget's request, "" for a widget of none; undefined leaves it open. */
  private belongsTo(widget: Widget): string | undefined {
    const claimed = this.claimed.get(widget);
    if (claimed !== undefined) return claimed;
    const context = this.documents.contextForWidget(widget);
    if (context) return keyOf(context.path);
    return widget.id.startsWith('launcher') ? '' : undefined;
  }
}
