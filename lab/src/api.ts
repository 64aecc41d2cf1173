// What the bench's server answers: pipelines/bench/handlers.py has the addresses.

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

export type Data = 'real' | 'twin';

export interface TrialFailure {
  cause: string;
  place: string;
  next_step: string;
  cell: number | null;
}

export interface Trial {
  id: string;
  state: 'running' | 'ended' | 'failed' | 'cancelled' | 'cut_off';
  data: Data;
  started: string;
  seconds: number;
  cell: number;
  cells: number;
  failure: TrialFailure | null;
  current: boolean;
  executed: string;
  preview: string;
}

export interface Source {
  name: string;
  label: string;
  source: string;
  sensitivity: string;
  sensitivity_label: string;
  twin: boolean;
  refused: string;
}

export interface Card {
  key: string;
  title: string;
  question: string;
  requester: string;
  service: string;
  purpose: string;
  purpose_label: string;
  basis: string;
  reference: string;
  expires: string;
  expired: boolean;
  parameters: { name: string; label: string; text: string }[];
  sources: Source[];
  state: string;
  state_label: string;
  history: { at: string; text: string; actor: string }[];
  issue_url: string;
  ticket_url: string;
  merge_request_url: string;
  template: string;
  template_title: string;
  language: 'en' | 'fr';
  data: Data;
  notebook: string;
  kernel: { name: string; problem: string };
  git: { branch: string; changed: boolean; ahead: number; behind: number; gone: boolean };
  trial: Trial | null;
  is_try: boolean;
  note: string;
}

export interface ListedRequest {
  key: string;
  title: string;
  state: string;
  state_label: string;
  service: string;
  opened: boolean;
}

export interface Opened {
  path: string;
  warnings: string[];
  card: Card;
}

export interface Reason {
  verdict: string;
  text: string;
}

export interface LeavingOutput {
  output: string;
  kind: string;
  title: string;
  channel: string;
  sensitivity_label: string;
  verdict: string;
  verdict_label: string;
  reasons: Reason[];
  approvals: number;
  cell: number | null;
}

export interface Leaving {
  outputs: LeavingOutput[];
  dropped: string[];
}

export interface Compared {
  base: string;
  remote: string;
  base_label: string;
  remote_label: string;
}

export interface Submitted {
  commit: string;
  merge_request_url: string | null;
  text: string;
}

export interface TemplateTile {
  name: string;
  title: string;
  summary: string;
  kernel: string;
  schema: Record<string, unknown>;
  ui: Record<string, unknown>;
  sources: { name: string; label: string; public: boolean; twin: boolean }[];
}

/** What a refusal is about: a file and its line or cell (from 1), or the field of a form. */
export interface RefusedPlace {
  path: string;
  text: string;
  line: number | null;
  cell?: number | null;
}

/** What the server refused: one sentence, what to do next, and the places it is about. */
export class Problem extends Error {
  constructor(
    readonly sentence: string,
    readonly next = '',
    readonly places: readonly RefusedPlace[] = [],
    readonly status = 0
  ) {
    super(sentence);
  }
}

export interface Words {
  language: string;
  words: Record<string, string>;
}

/** The bench's server. Every question ends in an answer, or in a `Problem`. */
export class Api {
  constructor(private readonly settings = ServerConnection.makeSettings()) {}

  /** What is said where nothing answers: known once the words are there. */
  unreachable = '';

  words = (): Promise<Words> => this.ask('GET', ['words']);

  requests = async (): Promise<ListedRequest[]> =>
    (await this.ask<{ requests: ListedRequest[] }>('GET', ['requests'])).requests;

  card = (key: string): Promise<Card> => this.ask('GET', ['requests', key]);

  open = (key: string): Promise<Opened> => this.ask('POST', ['requests', key, 'open']);

  chooseData = (key: string, data: Data): Promise<{ card: Card; restart: boolean }> =>
    this.ask('PUT', ['requests', key, 'data'], { data });

  startTrial = (key: string): Promise<Trial> => this.ask('POST', ['requests', key, 'trials']);

  trial = (key: string, trial: string): Promise<Trial> =>
    this.ask('GET', ['requests', key, 'trials', trial]);

  cancelTrial = (key: string, trial: string): Promise<Trial> =>
    this.ask('DELETE', ['requests', key, 'trials', trial]);

  leaving = (key: string, trial: string): Promise<Leaving> =>
    this.ask('GET', ['requests', key, 'trials', trial, 'leaving']);

  compare = (key: string, against: 'version' | 'release'): Promise<Compared> =>
    this.ask('POST', ['requests', key, 'compare'], { against });

  submit = (key: string, message: string): Promise<Submitted> =>
    this.ask('POST', ['requests', key, 'submit'], { message });

  templates = async (): Promise<TemplateTile[]> =>
    (await this.ask<{ templates: TemplateTile[] }>('GET', ['templates'])).templates;

  makeTry = (
    template: string,
    parameters: Record<string, unknown>
  ): Promise<{ key: string; path: string }> => this.ask('POST', ['tries'], { template, parameters });

  private async ask<Answer>(method: string, path: string[], body?: unknown): Promise<Answer> {
    const address = URLExt.join(
      this.settings.baseUrl,
      'wardbook/api',
      ...path.map(encodeURIComponent)
    );
    const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    let response: Response;
    let told;
    try {
      response = await ServerConnection.makeRequest(address, init, this.settings);
      told = await response.json();
    } catch {
      throw new Problem(this.unreachable);
    }
    if (!response.ok) {
      throw new Problem(told.problem ?? this.unreachable, told.next, told.places, response.status);
    }
    return told;
  }
}
