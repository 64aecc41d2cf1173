// Submit: the analyst says what changed; what was refused leads to its cell, and no word is lost.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import React from 'react';

import { Problem, type RefusedPlace, type Submitted } from './api';
import { Commands, IBench, type Bench } from './bench';

export const submit: JupyterFrontEndPlugin<void> = {
  id: 'wardbook-bench:submit',
  autoStart: true,
  requires: [IBench],
  activate: (app: JupyterFrontEnd, bench: Bench) => {
    const drafts = new Map<string, string>();
    app.commands.addCommand(Commands.submit, {
      label: bench.say('submit_command'),
      isEnabled: () => bench.card !== null && !bench.card.is_try,
      execute: async () => {
        if (bench.card !== null) {
          await new SubmitDialog(app, bench, bench.card.key, drafts).launch();
        }
      }
    });
    bench.cardChanged.connect(() => app.commands.notifyCommandChanged(Commands.submit));
  }
};

/** Stays open until the request is submitted, or until it is left. */
class SubmitDialog extends Dialog<void> {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly bench: Bench,
    private readonly key: string,
    private readonly drafts: Map<string, string>
  ) {
    const { say } = bench;
    const question = new Question(bench, drafts.get(key) ?? '', place => void this.goTo(place));
    super({
      title: say('submit_title', { key }),
      body: question,
      focusNodeSelector: 'textarea',
      buttons: [
        Dialog.cancelButton({ label: say('submit_cancel') }),
        Dialog.okButton({ label: say('submit_send') })
      ]
    });
    this.question = question;
    this.addClass('wb-Submit');
  }

  override resolve(index?: number): void {
    if (this.question.busy) {
      return;
    }
    if (index === 0) {
      super.resolve(index);
    } else {
      void this.send();
    }
  }

  override reject(): void {
    if (!this.question.busy) {
      super.reject();
    }
  }

  override dispose(): void {
    this.drafts.set(this.key, this.question.message);
    super.dispose();
  }

  private async send(): Promise<void> {
    const { question, bench, key } = this;
    this.setBusy(true);
    try {
      await bench.save();
      const done = await bench.api.submit(key, question.message);
      question.message = '';
      this.setBusy(false);
      super.resolve(1);
      void bench.refresh();
      await tellSubmitted(bench, done);
    } catch (problem) {
      this.setBusy(false);
      question.refuse(problem instanceof Problem ? problem : new Problem(String(problem)));
    }
  }

  private setBusy(busy: boolean): void {
    this.question.setBusy(busy);
    for (const button of this.node.querySelectorAll<HTMLButtonElement>('.jp-Dialog-footer button')) {
      button.disabled = busy;
    }
  }

  private async goTo(place: RefusedPlace): Promise<void> {
    const notebook = this.bench.card?.notebook ?? '';
    super.reject();
    if (place.cell && notebook.endsWith(place.path)) {
      await this.bench.goToCell(place.cell - 1);
    } else {
      const path = `${this.key}/${place.path}`;
      await this.app.commands.execute('docmanager:open', { path });
    }
  }

  private readonly question: Question;
}

/** What the dialog shows: the message, how it goes, what was refused. */
class Question extends ReactWidget {
  constructor(
    private readonly bench: Bench,
    public message: string,
    private readonly goTo: (place: RefusedPlace) => void
  ) {
    super();
  }

  busy = false;
  private refused: Problem | null = null;

  setBusy(busy: boolean): void {
    this.busy = busy;
    if (busy) {
      this.refused = null;
    }
    this.update();
  }

  refuse(problem: Problem): void {
    this.refused = problem;
    this.update();
  }

  protected render(): JSX.Element {
    const { say } = this.bench;
    return (
      <>
        <label htmlFor="wb-submit-message">{say('submit_message')}</label>
        <textarea
          id="wb-submit-message"
          className="jp-mod-styled"
          rows={4}
          maxLength={2000}
          aria-required="true"
          aria-describedby="wb-submit-help"
          defaultValue={this.message}
          readOnly={this.busy}
          onInput={event => {
            this.message = event.currentTarget.value;
          }}
        />
        <p id="wb-submit-help" className="wb-Form-help">
          {say('submit_help')}
        </p>
        <div role="status">{this.busy ? say('submit_busy') : ''}</div>
        <div role="alert">{this.refused && this.renderRefusal(this.refused)}</div>
      </>
    );
  }

  private renderRefusal(refused: Problem): JSX.Element {
    return (
      <div className="wb-Form-refused">
        <p>
          {refused.sentence} {refused.next}
        </p>
        {refused.places.length > 0 && (
          <ul>
            {refused.places.map((place, index) => (
              <li key={index}>{this.renderPlace(place)}</li>
            ))}
          </ul>
        )}
      </div>
    );
  }

  /** What stands in the message or in the history has no file that could be opened. */
  private renderPlace(place: RefusedPlace): JSX.Element {
    const { say } = this.bench;
    const name = place.path.split('/').pop() ?? '';
    const where = place.cell
      ? say('submit_cell', { file: name, cell: place.cell })
      : say('submit_line', { file: name, line: place.line ?? 1 });
    return (
      <>
        {place.path.includes('/') ? (
          <button type="button" className="wb-Link" onClick={() => this.goTo(place)}>
            {where}
          </button>
        ) : (
          where
        )}
        {say('submit_colon')}
        {place.text}
      </>
    );
  }
}

/** Say what GitLab has now, with the way there. */
async function tellSubmitted(bench: Bench, done: Submitted): Promise<void> {
  const { say } = bench;
  const body = ReactWidget.create(
    <>
      <p>{done.text}</p>
      {done.merge_request_url && (
        <p>
          <a href={done.merge_request_url} target="_blank" rel="noopener noreferrer">
            {say('submit_merge_request')}
          </a>
        </p>
      )}
    </>
  );
  body.addClass('wb-Submit');
  await showDialog({
    title: say('submit_done'),
    body,
    buttons: [Dialog.okButton({ label: say('submit_close') })]
  });
}
