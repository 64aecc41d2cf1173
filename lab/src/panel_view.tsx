// The panel itself: the card of the request in front with its buttons, or the list of requests.

import { UseSignal } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import React from 'react';

import type { Card, Data } from './api';
import { Commands } from './bench';
import { CardView } from './card';
import type { Desk } from './desk';
import { LeavingView, ToCell, TrialView } from './trial_view';

export function PanelView({ desk }: { desk: Desk }): JSX.Element {
  return (
    <UseSignal signal={desk.changed}>
      {() => (
        <div className="wb-panel-content" lang={desk.language} aria-busy={Boolean(desk.busy)}>
          {desk.key && !desk.choosing ? <RequestView desk={desk} /> : <ListView desk={desk} />}
        </div>
      )}
    </UseSignal>
  );
}

function RequestView({ desk }: { desk: Desk }): JSX.Element {
  const { say, language, card, kept } = desk;
  const { trial, leaving } = kept;
  const goToCell = (index: number) => void desk.goToCell(index);
  return (
    <>
      <div className="wb-head">
        <button type="button" className="wb-link" onClick={() => showList(desk)}>
          {say('all_requests')}
        </button>
        <h2>
          {card?.is_try ? say('try') : desk.key}
          {card?.state_label && <span className="wb-mark">{card.state_label}</span>}
        </h2>
        {card && <p className="wb-title">{card.title}</p>}
      </div>
      <Messages desk={desk} />
      {card && (
        <>
          {card.note && <p className="wb-note">{card.note}</p>}
          {card.kernel.problem && <p className="wb-note">{card.kernel.problem}</p>}
          <DataSwitch desk={desk} card={card} />
          <section aria-labelledby="wb-work">
            <h3 id="wb-work">{say('work')}</h3>
            <div className="wb-buttons">
              {trial?.state === 'running' ? (
                <Command desk={desk} id={Commands.cancel} />
              ) : (
                <Command desk={desk} id={Commands.run} main />
              )}
            </div>
            {trial && (
              <TrialView trial={trial} lost={kept.lost} say={say} goToCell={goToCell} />
            )}
            <div className="wb-buttons">
              <Command desk={desk} id={Commands.result} />
              <Command desk={desk} id={Commands.leaving} />
              <Command desk={desk} id={Commands.preview} />
              <Command desk={desk} id={Commands.compareVersion} />
              <Command desk={desk} id={Commands.compareRelease} />
              <Command desk={desk} id={Commands.submit} main />
            </div>
          </section>
          {leaving && <LeavingView leaving={leaving} say={say} goToCell={goToCell} />}
          <CardView card={card} say={say} language={language} />
        </>
      )}
    </>
  );
}

/** Problems and news. Both elements are always there, so that readers of screens notice. */
function Messages({ desk }: { desk: Desk }): JSX.Element {
  const { say, kept, busy } = desk;
  const { problem, warnings, told } = kept;
  const goToCell = (index: number) => void desk.goToCell(index);
  return (
    <>
      <div role="alert" className={problem ? 'wb-problem' : ''}>
        {problem && (
          <>
            <p>
              <strong>{problem.sentence}</strong>
            </p>
            {problem.next && <p>{problem.next}</p>}
            {problem.places.length > 0 && (
              <ul>
                {problem.places.map((place, index) => (
                  <li key={index}>
                    {place.text}{' '}
                    {typeof place.cell === 'number' && (
                      <ToCell cell={place.cell - 1} say={say} goToCell={goToCell} />
                    )}
                  </li>
                ))}
              </ul>
            )}
            <button type="button" className="wb-link" onClick={() => desk.showProblem(null)}>
              {say('dismiss')}
            </button>
          </>
        )}
      </div>
      <div role="status">
        {busy && <p className="wb-small">{busy}</p>}
        {told && <p className="wb-note">{told}</p>}
        {warnings.map((one, index) => (
          <p key={index} className="wb-note">
            {one}
          </p>
        ))}
      </div>
    </>
  );
}

function DataSwitch({ desk, card }: { desk: Desk; card: Card }): JSX.Element {
  const { say, kept } = desk;
  const choose = (data: Data) =>
    void desk.attempt(say('busy_data'), () => desk.chooseData(data));
  return (
    <fieldset className={`wb-data wb-data-${card.data}`} aria-disabled={Boolean(desk.busy)}>
      <legend>{say('data')}</legend>
      {(['real', 'twin'] as const).map(data => (
        <label key={data}>
          <input
            type="radio"
            name="wb-data"
            checked={card.data === data}
            onChange={() => choose(data)}
          />
          {say(`data_${data}`)}
        </label>
      ))}
      <p className="wb-data-used">{say(`data_${card.data}_used`)}</p>
      {kept.restart && (
        <p>
          {say('restart_needed')}{' '}
          <button
            type="button"
            className="wb-button"
            aria-disabled={Boolean(desk.busy)}
            onClick={() => void desk.attempt(say('busy_restart'), () => desk.restartKernels())}
          >
            {say('restart')}
          </button>
        </p>
      )}
    </fieldset>
  );
}

function Command(props: { desk: Desk; id: string; main?: boolean }): JSX.Element | null {
  const { desk } = props;
  const commands: CommandRegistry = desk.app.commands;
  if (!commands.hasCommand(props.id) || !commands.isVisible(props.id)) return null;
  return (
    <button
      type="button"
      className={`wb-button ${props.main ? 'wb-main' : ''}`}
      title={commands.caption(props.id)}
      disabled={!commands.isEnabled(props.id)}
      aria-disabled={Boolean(desk.busy)}
      data-command={props.id}
      onClick={() => void (desk.busy || commands.execute(props.id))}
    >
      {commands.label(props.id)}
    </button>
  );
}

function showList(desk: Desk): void {
  desk.choosing = true;
  void desk.attempt('', () => desk.list());
}

function ListView({ desk }: { desk: Desk }): JSX.Element {
  const { say, listed, key } = desk;
  return (
    <>
      <div className="wb-head">
        {key && (
          <button type="button" className="wb-link" onClick={() => back(desk)}>
            {say('back', { key })}
          </button>
        )}
        <h2>{say('requests')}</h2>
      </div>
      <Messages desk={desk} />
      {listed?.length === 0 && <p>{say('no_requests')}</p>}
      <ul className="wb-list">
        {listed?.map(one => (
          <li key={one.key}>
            <button
              type="button"
              aria-disabled={Boolean(desk.busy)}
              onClick={() =>
                void desk.attempt(say('busy_open', { key: one.key }), () => desk.open(one.key))
              }
            >
              <span className="wb-list-key">{one.key}</span>
              <span className="wb-mark">{one.state_label}</span>
              {one.opened && <span className="wb-mark">{say('opened')}</span>}
              <span className="wb-list-title">{one.title}</span>
              <span className="wb-small">{one.service}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function back(desk: Desk): void {
  desk.choosing = false;
  desk.draw();
}
