// How a form looks: JupyterLab's own templates give fields no labels that a screen reader knows.

import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type {
  FieldTemplateProps,
  ObjectFieldTemplateProps,
  RJSFSchema,
  UiSchema,
  WidgetProps
} from '@rjsf/utils';
import React, { useEffect, useRef, useState } from 'react';

/** A field: its label, what it is for, its control, and what is wrong with it. */
function Field(props: FieldTemplateProps): JSX.Element {
  const { id, label, schema, required, rawErrors = [], children, formContext } = props;
  const field = useRef<HTMLDivElement>(null);
  const wrong = rawErrors.length > 0;
  useEffect(() => {
    for (const control of field.current?.querySelectorAll('input, select') ?? []) {
      control.setAttribute('aria-invalid', String(wrong));
    }
  });
  if (schema.type === 'object') {
    return <>{children}</>;
  }
  const name = (
    <>
      {label}
      {required && <span className="wb-Form-needed"> {formContext.say('launcher_required')}</span>}
    </>
  );
  const told = (
    <>
      {schema.description && (
        <div className="wb-Form-help" id={`${id}__description`}>
          {schema.description}
        </div>
      )}
      {children}
      {wrong && (
        <div className="wb-Form-error" id={`${id}__error`}>
          {rawErrors.join(' ')}
        </div>
      )}
    </>
  );
  // A group of boxes has a legend; the one box of yes or no has its label beside it.
  return (
    <div className="wb-Form-field" ref={field}>
      {isGroup(schema) ? (
        <fieldset>
          <legend>{name}</legend>
          {told}
        </fieldset>
      ) : (
        <>
          {schema.type !== 'boolean' && <label htmlFor={id}>{name}</label>}
          {told}
        </>
      )}
    </div>
  );
}

function isGroup(schema: RJSFSchema): boolean {
  return schema.type === 'array' && (schema.items as RJSFSchema).enum !== undefined;
}

/** All fields, one below the other. */
function Fields(props: ObjectFieldTemplateProps): JSX.Element {
  return <>{props.properties.map(one => one.content)}</>;
}

export const templates = { FieldTemplate: Field, ObjectFieldTemplate: Fields };

/** Several values in one line, as a ticket has them: separated by commas. */
export function ListWidget(props: WidgetProps): JSX.Element {
  const { id, value, schema, required, onChange } = props;
  const items = schema.items as RJSFSchema;
  const [text, setText] = useState(write(value));
  return (
    <input
      id={id}
      type="text"
      value={text}
      required={required}
      placeholder={write(firstOf(schema.examples))}
      aria-describedby={`${id}__error ${id}__description`}
      onChange={event => {
        setText(event.target.value);
        const values = read(event.target.value, items.type);
        onChange(values.length > 0 ? values : undefined);
      }}
    />
  );
}

function firstOf(examples: unknown): unknown {
  return Array.isArray(examples) ? examples[0] : undefined;
}

function write(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : '';
}

/** Values that are not of the type stay text: the check says so. */
function read(text: string, type: RJSFSchema['type']): unknown[] {
  const parts = text.split(',').map(part => part.trim());
  return parts.filter(Boolean).map(part => {
    if (type === 'boolean' && /^(true|false)$/.test(part)) {
      return part === 'true';
    }
    const number = Number(part);
    return type !== 'string' && !Number.isNaN(number) ? number : part;
  });
}

/** Complete how a form looks: lists of anything but choices are written in one line. */
export function completeLook(schema: RJSFSchema, look: UiSchema): UiSchema<ReadonlyJSONObject> {
  const lists = Object.entries(schema.properties ?? {})
    .filter(([, one]) => (one as RJSFSchema).type === 'array' && !isGroup(one as RJSFSchema))
    .map(([name]) => [name, { ...(look[name] as object), 'ui:widget': ListWidget }]);
  return { ...look, ...Object.fromEntries(lists) };
}
