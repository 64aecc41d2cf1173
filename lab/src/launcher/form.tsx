// The form of a template: what it answers, its values, its data, and the button that tries it.

import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { ErrorSchema, RJSFSchema } from '@rjsf/utils';
import React, { useMemo, useState } from 'react';

import { Problem, type TemplateTile } from '../api';
import type { Bench } from '../bench';
import { tellErrors, validator } from './checks';
import { completeLook, templates } from './fields';

interface Refused {
  sentence: string;
  next: string;
  fields: ErrorSchema;
}

export function TemplateForm({ tile, bench }: { tile: TemplateTile; bench: Bench }): JSX.Element {
  const { say } = bench;
  const [values, setValues] = useState<ReadonlyJSONObject>({});
  const [refused, setRefused] = useState<Refused | null>(null);
  const [busy, setBusy] = useState(false);
  const schema = tile.schema as RJSFSchema;
  const look = useMemo(() => completeLook(schema, tile.ui), [tile]);
  const context = useMemo(() => ({ say }), [say]);

  const attempt = async (parameters: Record<string, unknown>): Promise<void> => {
    setBusy(true);
    setRefused(null);
    try {
      const made = await bench.api.makeTry(tile.name, parameters);
      await bench.openPath(made.path);
    } catch (problem) {
      setRefused(tellRefusal(problem, schema));
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="wb-Form">
      <h1>{tile.title}</h1>
      <p>{tile.summary}</p>
      <div role="alert">
        {refused && (
          <p className="wb-Form-refused">
            {refused.sentence} {refused.next}
          </p>
        )}
      </div>
      <FormComponent
        schema={schema}
        uiSchema={look}
        formData={values}
        formContext={context}
        idPrefix={`wb-${tile.name}`}
        validator={validator}
        templates={templates}
        transformErrors={errors => tellErrors(errors, say)}
        extraErrors={refused?.fields ?? {}}
        showErrorList={false}
        focusOnFirstError
        liveValidate={refused !== null}
        noHtml5Validate
        onChange={event => setValues(event.formData ?? {})}
        onError={errors => {
          const sentence = say('launcher_mend', { count: errors.length });
          setRefused({ sentence, next: '', fields: {} });
        }}
        onSubmit={event => void attempt(event.formData as Record<string, unknown>)}
      >
        <Sources tile={tile} bench={bench} />
        <div className="wb-Form-end">
          <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={busy}>
            {say('launcher_try')}
          </button>
          <span role="status">{busy ? say('launcher_busy') : ''}</span>
        </div>
      </FormComponent>
    </div>
  );
}

/** Say which data a try reads: public ones, stand-ins, or none. */
function Sources({ tile, bench }: { tile: TemplateTile; bench: Bench }): JSX.Element | null {
  if (tile.sources.length === 0) {
    return null;
  }
  return (
    <section className="wb-Form-field">
      <h2>{bench.say('launcher_sources')}</h2>
      <ul>
        {tile.sources.map(({ name, label, public: open, twin }) => (
          <li key={name}>
            {bench.say(`launcher_source_${open ? 'public' : twin ? 'twin' : 'none'}`, { label })}
          </li>
        ))}
      </ul>
      <p className="wb-Form-help">{bench.say('launcher_note')}</p>
    </section>
  );
}

/** Sort what the server refused: beside its field, or above the form. */
function tellRefusal(problem: unknown, schema: RJSFSchema): Refused {
  const { sentence, next, places } =
    problem instanceof Problem ? problem : new Problem(String(problem));
  const known = places.filter(place => place.path in (schema.properties ?? {}));
  const others = places.filter(place => !known.includes(place)).map(place => place.text);
  const fields = Object.fromEntries(known.map(one => [one.path, { __errors: [one.text] }]));
  return { sentence: [sentence, ...others].join(' '), next, fields: fields as ErrorSchema };
}
