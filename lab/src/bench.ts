// What the bench's plugins share: the server, the words, and the request in front.

import type { ISignal } from '@lumino/signaling';
import { Token } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { Api, Card } from './api';
import type { Say } from './words';

export interface Bench {
  readonly api: Api;
  readonly say: Say;
  readonly language: string;

  /** The card of the request in front; null where there is none. */
  readonly card: Card | null;
  readonly cardChanged: ISignal<Bench, void>;

  /** Its notebook, where it is open. */
  readonly notebook: NotebookPanel | null;

  /** Fetch the card again. */
  refresh(): Promise<void>;

  /** Save the notebook of the request in front; a `Problem` where that fails. */
  save(): Promise<void>;

  /** Open a request's notebook and show its card; further warnings are shown in the panel. */
  open(key: string): Promise<void>;

  /** Open a notebook by its path from the server's root, and follow it. */
  openPath(path: string): Promise<void>;

  /** Show and mark a cell of the notebook of the request in front. */
  goToCell(index: number): Promise<void>;

  /** Tell that a widget belongs to a request, whose card stays while the widget is in front. */
  claim(widget: Widget, key: string): void;

  /** Show a problem in the panel, as an alert; null takes it away. */
  showProblem(problem: unknown): void;

  /** Say something in the panel that is no problem, politely. */
  tell(text: string): void;
}

export const IBench = new Token<Bench>('wardbook-bench:IBench');

/** Commands of the bench; the panel has a button for each. */
export const Commands = {
  show: 'wardbook:show',
  run: 'wardbook:run',
  cancel: 'wardbook:cancel',
  result: 'wardbook:result',
  preview: 'wardbook:preview',
  leaving: 'wardbook:leaving',
  compareVersion: 'wardbook:compare-version',
  compareRelease: 'wardbook:compare-release',
  submit: 'wardbook:submit'
} as const;

export const CATEGORY = 'Wardbook';
