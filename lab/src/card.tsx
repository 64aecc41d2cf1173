// The card of a request: what an analyst wants to know before and while they work on it.

import React from 'react';

import type { Card, Source } from './api';
import type { Say } from './words';

export interface Told {
  say: Say;
  language: string;
}

/** Tell a day (ISO 8601) in the reader's language; what is no day stays as it is. */
export function tellDay(iso: string, language: string): string {
  const day = new Date(`${iso}T00:00:00`);
  const form = new Intl.DateTimeFormat(language, { dateStyle: 'long' });
  return Number.isNaN(day.getTime()) ? iso : form.format(day);
}

function tellMoment(iso: string, language: string): string {
  const moment = new Date(iso);
  const form = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  return Number.isNaN(moment.getTime()) ? iso : form.format(moment);
}

export function CardView({ card, say, language }: { card: Card } & Told): JSX.Element {
  return (
    <>
      <section aria-labelledby="wb-question">
        <h3 id="wb-question">{say('question')}</h3>
        <p className="wb-question">{card.question}</p>
        <dl>
          <Fact name={say('requester')}>
            {[card.requester, card.service].filter(Boolean).join(' · ')}
          </Fact>
          <Fact name={say('purpose')}>{card.purpose_label}</Fact>
          <Fact name={say('basis')}>
            {[card.basis, card.reference].filter(Boolean).join(' · ')}
          </Fact>
          <Fact name={say('expires')}>
            {card.expires && (
              <span className={card.expired ? 'wb-bad' : ''}>
                {tellDay(card.expires, language)}
                {card.expired && ` — ${say('expired')}`}
              </span>
            )}
          </Fact>
          <Fact name={say('template')}>{card.template_title}</Fact>
          {card.parameters.map(one => (
            <Fact key={one.name} name={one.label}>
              {one.text}
            </Fact>
          ))}
        </dl>
      </section>
      <section aria-labelledby="wb-sources">
        <h3 id="wb-sources">{say('sources')}</h3>
        <ul className="wb-sources">
          {card.sources.map(one => (
            <SourceView key={one.name} source={one} say={say} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="wb-links">
        <h3 id="wb-links">{say('links')}</h3>
        <ul className="wb-links">
          <Link name={say('issue')} address={card.issue_url} say={say} />
          <Link name={say('ticket')} address={card.ticket_url} say={say} />
          <Link name={say('merge_request')} address={card.merge_request_url} say={say} />
        </ul>
        {card.git.branch && <p className="wb-small">{tellGit(card, say)}</p>}
      </section>
      {card.history.length > 0 && (
        <details className="wb-history">
          <summary>
            <h3>{say('history', { count: card.history.length })}</h3>
          </summary>
          <ol>
            {card.history.map((one, index) => (
              <li key={index}>
                <time dateTime={one.at}>{tellMoment(one.at, language)}</time>
                <span>{one.text}</span>
                <span className="wb-small">{one.actor}</span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </>
  );
}

function Fact(props: { name: string; children: React.ReactNode }): JSX.Element | null {
  if (!props.children) return null;
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function SourceView({ source, say }: { source: Source; say: Say }): JSX.Element {
  return (
    <li>
      <strong>{source.label}</strong> <code>{source.source}</code>
      <span className="wb-marks">
        <span className={`wb-mark wb-mark-${source.sensitivity}`}>{source.sensitivity_label}</span>
        {source.twin && <span className="wb-mark">{say('has_twin')}</span>}
      </span>
      {source.refused && <p className="wb-bad">{source.refused}</p>}
    </li>
  );
}

function Link(props: { name: string; address: string; say: Say }): JSX.Element | null {
  // Addresses come from trackers: only those of the web are followed.
  if (!/^https?:\/\//.test(props.address)) return null;
  return (
    <li>
      <a href={props.address} target="_blank" rel="noopener noreferrer">
        {props.name}
        <span className="wb-unseen"> {props.say('new_tab')}</span>
      </a>
    </li>
  );
}

function tellGit({ git }: Card, say: Say): string {
  const found = [say('branch', { branch: git.branch })];
  if (git.gone) found.push(say('branch_gone'));
  if (git.changed) found.push(say('branch_changed'));
  if (git.ahead) found.push(say('branch_ahead', { count: git.ahead }));
  if (git.behind) found.push(say('branch_behind', { count: git.behind }));
  return found.join(' · ');
}
