// The bench's words come from its server, in the analyst's language.

import type { Api } from './api';

export type Say = (name: string, values?: Record<string, string | number>) => string;

/** Fetch the words; the function returned fills them in. A word that is missing shows its name. */
export async function fetchWords(api: Api): Promise<{ language: string; say: Say }> {
  const { language, words } = await api.words();
  const say: Say = (name, values = {}) =>
    (words[name] ?? name).replace(/\{(\w+)\}/g, (mark, key) => String(values[key] ?? mark));
  api.unreachable = say('unreachable');
  return { language, say };
}
