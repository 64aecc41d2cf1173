// What a form checks before it asks the server, and how it says what is wrong.

import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { RJSFSchema, RJSFValidationError } from '@rjsf/utils';
import { customizeValidator } from '@rjsf/validator-ajv8';
import Ajv2020 from 'ajv/dist/2020';

import type { Say } from '../words';

/** Draft 2020-12, with `formatMinimum` and `formatMaximum` for days. */
export const validator = customizeValidator<ReadonlyJSONObject, RJSFSchema>({
  AjvClass: Ajv2020,
  ajvFormatOptions: { keywords: true, formats: ['date'] }
});

const WORDS: Record<string, string> = {
  required: 'launcher_needed',
  minItems: 'launcher_needed',
  minLength: 'launcher_needed',
  minimum: 'launcher_least',
  maximum: 'launcher_most',
  formatMinimum: 'launcher_from',
  formatMaximum: 'launcher_until',
  maxLength: 'launcher_long',
  enum: 'launcher_choice'
};
const TYPES: Record<string, string> = { integer: 'launcher_whole', number: 'launcher_number' };

/** Say each error in words, one for each field: what is wrong in a list is wrong with its field. */
export function tellErrors(errors: RJSFValidationError[], say: Say): RJSFValidationError[] {
  const told = new Map<string, RJSFValidationError>();
  for (const error of errors) {
    const field = fieldOf(error);
    if (!told.has(field)) {
      told.set(field, { ...error, property: `.${field}`, message: tell(error, say) });
    }
  }
  return [...told.values()];
}

function fieldOf(error: RJSFValidationError): string {
  return (error.property ?? '').replace(/^\./, '').split(/[.[]/)[0] ?? '';
}

function tell(error: RJSFValidationError, say: Say): string {
  const word = WORDS[error.name ?? ''] ?? TYPES[error.params?.type] ?? 'launcher_misfit';
  return say(word, { limit: error.params?.limit ?? '' });
}
