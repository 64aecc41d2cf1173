// A trial in the panel: its progress, what it came to, and what of it would leave.

import React from 'react';

import type { Leaving, LeavingOutput, Reason, Trial } from './api';
import type { Say } from './words';

interface Shown {
  say: Say;
  goToCell: (index: number) => void;
}

/** Progress while a trial runs, else what it came to. */
export function TrialView({ trial, lost, say, goToCell }: Shown & { trial: Trial; lost: boolean }) {
  const running = trial.state === 'running';
  // Who cancels a run knows why it ended.
  const failure = trial.state === 'cancelled' ? null : trial.failure;
  return (
    <div className={`wb-trial wb-trial-${trial.state}`}>
      <div aria-live="polite">
        <p id="wb-progress-label">
          {running
            ? trial.cell
              ? say('progress_cell', { cell: trial.cell, cells: trial.cells })
              : say('progress_data')
            : say(`trial_${trial.state}`, { seconds: Math.round(trial.seconds) })}
        </p>
        {lost && <p>{say('lost')}</p>}
      </div>
      {running && (
        <progress
          aria-labelledby="wb-progress-label"
          {...(trial.cell ? { max: trial.cells, value: trial.cell - 1 } : {})}
        />
      )}
      {failure && (
        <div className="wb-failure" role="alert">
          <p>
            <strong>{failure.cause}</strong>
          </p>
          {failure.place && <p className="wb-small">{failure.place}</p>}
          {failure.next_step && <p>{failure.next_step}</p>}
          {failure.cell !== null && <ToCell cell={failure.cell} say={say} goToCell={goToCell} />}
        </div>
      )}
      {!running && !trial.current && <p className="wb-note">{say('not_current')}</p>}
    </div>
  );
}

export function ToCell({ cell, say, goToCell }: Shown & { cell: number }): JSX.Element {
  return (
    <button type="button" className="wb-link" onClick={() => goToCell(cell)}>
      {say('go_to_cell', { cell: cell + 1 })}
    </button>
  );
}

/** Every declared output with its verdict and why; its name leads to the cell that makes it. */
export function LeavingView({ leaving, say, goToCell }: Shown & { leaving: Leaving }): JSX.Element {
  return (
    <section aria-labelledby="wb-leaving" className="wb-leaving">
      <h3 id="wb-leaving" tabIndex={-1}>
        {say('leaving')}
      </h3>
      {leaving.outputs.length === 0 && <p>{say('leaving_nothing')}</p>}
      {leaving.outputs.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{say('output')}</th>
              <th scope="col">{say('verdict')}</th>
            </tr>
          </thead>
          <tbody>
            {worstFirst(leaving.outputs).map(one => (
              <OutputRow key={one.output} output={one} say={say} goToCell={goToCell} />
            ))}
          </tbody>
        </table>
      )}
      {leaving.dropped.length > 0 && (
        <>
          <h4>{say('dropped')}</h4>
          <ul>
            {leaving.dropped.map((one, index) => (
              <li key={index}>{one}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** What is kept back before what may leave; else as the template has them. */
function worstFirst(outputs: LeavingOutput[]): LeavingOutput[] {
  const rank = (one: LeavingOutput) => ['refuse', 'hold', 'pass'].indexOf(one.verdict);
  return [...outputs].sort((one, other) => rank(one) - rank(other));
}

function OutputRow({ output, say, goToCell }: Shown & { output: LeavingOutput }): JSX.Element {
  const { cell, reasons } = output;
  // What decides comes first; what passed, or was only noted, is there for who asks.
  const decides = (one: Reason) => one.verdict === output.verdict && one.verdict !== 'pass';
  const deciding = reasons.filter(decides);
  const further = reasons.filter(one => !decides(one));
  return (
    <tr className={`wb-verdict-${output.verdict}`}>
      <th scope="row">
        {cell === null ? (
          output.title
        ) : (
          <button
            type="button"
            className="wb-link"
            title={say('go_to_cell', { cell: cell + 1 })}
            onClick={() => goToCell(cell)}
          >
            {output.title}
          </button>
        )}
        <span className="wb-small">
          {say(`channel_${output.channel}`)} · {output.sensitivity_label}
        </span>
      </th>
      <td>
        <span className={`wb-mark wb-mark-${output.verdict}`}>{output.verdict_label}</span>
        {output.approvals > 0 && (
          <span className="wb-small">{say('approvals', { count: output.approvals })}</span>
        )}
        <Reasons reasons={deciding} />
        {further.length > 0 && (
          <details>
            <summary>{say('further', { count: further.length })}</summary>
            <Reasons reasons={further} />
          </details>
        )}
      </td>
    </tr>
  );
}

function Reasons({ reasons }: { reasons: Reason[] }): JSX.Element | null {
  if (reasons.length === 0) return null;
  return (
    <ul>
      {reasons.map((one, index) => (
        <li key={index}>{one.text}</li>
      ))}
    </ul>
  );
}
