/* What the gate would say of a request, said in the browser: the same problems in the same order.

   `rules` is what lib/wardbook/form/rules.py writes; `values` are the texts of the controls by name.
   Nothing here touches the page, and nothing is sent anywhere. */
"use strict";

/* Texts, as Python and the gate read them */

const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const BLANKS = new RegExp(`[${BLANK}]+`, "gu");
const IS_BLANK = new RegExp(`^[${BLANK}]$`, "u");
const ENDS = new RegExp(`^[${BLANK}]+|[${BLANK}]+$`, "gu");
const DIGIT = /[\p{Nd}\u1369-\u1371\u19da\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}*]/u;

const strip = (text) => text.replace(ENDS, "");
const count = (text) => [...text].length;
const mended = (text) => text.replace(/\p{Cs}/gu, "\ufffd");
const oneLine = (text) => strip(mended(text).replace(/[\p{Cc}\u2028\u2029]+/gu, " "));

function tidy(text) {
  const plain = text.normalize("NFKC").replace(/[\p{Pd}\u2212]/gu, "-");
  const seen = plain.replace(/[\p{Cc}\p{Cf}]/gu, (one) => (IS_BLANK.test(one) ? one : ""));
  return strip(seen.replace(BLANKS, " "));
}

function shorten(text) {
  const line = [...strip(text.replace(BLANKS, " "))];
  return line.length <= 60 ? line.join("") : line.slice(0, 59).join("") + "…";
}

function fold(text, rules) {
  return [...text].map((one) => rules.folds[one] ?? one.toLowerCase()).join("");
}

function pick(text, meanings, rules) {
  const has = (word) => Object.hasOwn(meanings, word);
  const plain = fold(tidy(text), rules);
  const words = has(plain) ? [plain] : plain.split("/").map(strip);
  const found = new Set(words.map((word) => (has(word) ? meanings[word] : null)));
  return found.size === 1 ? [...found][0] : null;
}

function readDay(text) {
  const plain = tidy(text);
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(plain)) return null;
  const [year, month, day] = plain.split("-").map(Number);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] ? plain : null;
}

function plainDigits(text) {
  return text.replace(/\p{Nd}/gu, (one) => {
    /* The digits of a script stand in a row, from 0 to 9; some rows follow each other. */
    const code = one.codePointAt(0);
    let start = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(start - 1))) start -= 1;
    return String((code - start) % 10);
  });
}

function readNumber(text, isWhole) {
  const plain = plainDigits(strip(isWhole ? text : text.replaceAll(",", ".")));
  const digits = "[0-9](?:_?[0-9])*";
  const whole = new RegExp(`^[+-]?${digits}$`);
  const real = new RegExp(`^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:[eE][+-]?${digits})?$`);
  if (!(isWhole ? whole : real).test(plain)) return null;
  const value = Number(plain.replaceAll("_", ""));
  if (!Number.isFinite(value)) return null;
  return isWhole ? BigInt(plain.replaceAll("_", "").replace("+", "")) : value;
}

const offer = (choices) => choices.slice(0, 8).join(" | ");
const missingOr = (text, code) => (tidy(text) ? code : "missing");

/* From the controls to the ticket */

function compose(values, rules) {
  const given = (name) => oneLine(values[name] ?? "");
  const inResearch = pick(given("purpose"), rules.purposes, rules) === "research";
  const ticket = {
    summary: given("summary"),
    description: strip(mended(values.description ?? "")),
    components: given("components"),
    purpose: given("purpose"),
    legal_basis: given("legal_basis"),
    reference: given("reference"),
    expires: given("expires"),
    approver: given("approver"),
    ethics: inResearch ? given("ethics") : "",
    dpo: inResearch ? given("dpo") : "",
    template: rules.template.name,
    parameters: "",
    language: given("language"),
    recurrence: rules.recurs ? given("recurrence") : "",
    colleagues: rules.copies ? given("colleagues") : "",
  };
  const named = (kind, one) => [`${kind === "source" ? "source." : ""}${one.name}`, given(`${kind}.${one.name}`)];
  const lines = [
    ...rules.parameters.map((one) => named("parameter", one)),
    ...rules.sources.map((one) => named("source", one)),
  ];
  ticket.parameters = lines.filter(([, text]) => text).map(([name, text]) => `${name} = ${text}`).join("\n");
  return ticket;
}

/* The gate */

function judge(values, rules, today) {
  const ticket = compose(values, rules);
  const problems = [];
  const add = (field, code, found = "", example = "", name = "", control = field) =>
    problems.push({ field, code, found, example, name, control });
  judgeTexts(ticket, rules, add);
  const purpose = judgeGround(ticket, rules, today, oneLine(values.me ?? ""), add);
  const service = judgeService(ticket, rules, add);
  judgeApprover(ticket, service, rules, oneLine(values.me ?? ""), add);
  if (purpose !== null && !rules.template.purposes.includes(purpose)) {
    const fitting = offer(rules.fitting[purpose]);
    add("template", "purpose_not_allowed", rules.template.name, fitting, "", "purpose");
  }
  const every = judgeRecurrence(ticket.recurrence, rules, add);
  judgeColleagues(ticket, rules, oneLine(values.me ?? ""), add);
  judgeParameters(values, rules, every !== "once", add);
  judgeSources(values, rules, purpose, service, add);
  return problems;
}

function judgeTexts(ticket, rules, add) {
  /* Jira's own limits. */
  if (!ticket.summary) add("summary", "missing", "", rules.words.summary_example);
  else if (count(ticket.summary) > 255) add("summary", "text_too_long", shorten(ticket.summary));
  for (const field of ["description", "parameters"]) {
    const control = field === "parameters" ? parameterControl(rules) : field;
    if (ticket[field].length > 32767) add(field, "too_long_for_jira", "", "", "", control);
  }
}

const parameterControl = (rules) => (rules.parameters.length ? `parameter.${rules.parameters[0].name}` : "summary");

function judgeGround(ticket, rules, today, me, add) {
  const purpose = pick(ticket.purpose, rules.purposes, rules);
  if (purpose === null) {
    add("purpose", missingOr(ticket.purpose, "unknown_purpose"), shorten(ticket.purpose), rules.examples.purpose);
  }
  const bases = purpose === null ? Object.assign({}, ...Object.values(rules.bases)) : rules.bases[purpose];
  const basis = pick(ticket.legal_basis, bases, rules);
  if (basis === null) {
    const code = missingOr(ticket.legal_basis, "legal_basis_does_not_fit");
    const example = rules.examples[purpose === null ? "basis" : `basis_${purpose}`];
    add("legal_basis", code, shorten(ticket.legal_basis), example);
  }
  const expected = basis || (purpose === "research" ? "" : "head_of_service");
  judgeReference("reference", ticket.reference, rules.references[expected], rules, add);
  judgeExpiry(ticket.expires, today, add);
  if (purpose === "research") {
    judgeReference("ethics", ticket.ethics, rules.references.ethics, rules, add);
    judgeOfficer(ticket, rules, me, add);
  }
  return purpose;
}

function judgeReference(field, text, expected, rules, add) {
  const plain = tidy(text);
  const read = expected.dotless ? plain.replace(/[ıİ]/g, expected.dotless) : plain;
  let code = missingOr(text, "");
  if (count(plain) > rules.longest.reference) code = "text_too_long";
  else if (plain && !new RegExp(expected.form, expected.flags).test(read)) code = "not_a_reference";
  if (code) add(field, code, shorten(text), expected.example);
}

function judgeExpiry(text, today, add) {
  const example = `${Number(today.slice(0, 4)) + 1}-12-31`;
  const last = readDay(text);
  if (last === null) add("expires", missingOr(text, "not_a_day"), shorten(text), example);
  else if (last < today) add("expires", "expired", last, example);
}

function judgeOfficer(ticket, rules, me, add) {
  let code = "";
  if (!ticket.dpo) code = "missing";
  else if (!rules.officers.includes(ticket.dpo)) code = "not_an_officer";
  else if (ticket.dpo === me) code = "own_request";
  else if (ticket.dpo === ticket.approver) code = "officer_approves";
  if (code) addPerson("dpo", code, ticket.dpo, rules.officers, [me, ticket.approver], rules, add);
}

function judgeService(ticket, rules, add) {
  const known = rules.services.find((one) => one.name === ticket.components);
  if (known) return known;
  const code = ticket.components ? "unmapped_service" : "missing";
  add("components", code, shorten(ticket.components), offer(rules.services.map((one) => one.name)));
  return null;
}

function judgeApprover(ticket, service, rules, me, add) {
  let code = "";
  if (!ticket.approver) code = "missing";
  else if (service && !service.approvers.includes(ticket.approver)) code = "not_an_approver";
  else if (ticket.approver === me) code = "own_request";
  if (!code) return;
  const services = service ? [service] : rules.services;
  const known = [...new Set(services.flatMap((one) => one.approvers))];
  addPerson("approver", code, ticket.approver, known, [me], rules, add);
}

function addPerson(field, code, found, known, taken, rules, add) {
  const nameOf = (account) => (Object.hasOwn(rules.people, account) ? rules.people[account] : account);
  const others = known.filter((account) => !taken.includes(account)).map(nameOf);
  add(field, known.length && !others.length ? "nobody_else" : code, shorten(nameOf(found)), offer(others));
}

function judgeColleagues(ticket, rules, me, add) {
  const named = new Set(ticket.colleagues.split(",").map(strip));
  named.delete("");
  named.delete(me);
  if (named.size > rules.most_colleagues) add("colleagues", "too_many_colleagues", String(named.size));
}

function judgeRecurrence(recurrence, rules, add) {
  const text = tidy(recurrence);
  const word = pick(text, rules.recurrences, rules);
  const { recurrences, cron } = rules.examples;
  if (word === rules.as_template) {
    if (rules.template.cron) return rules.template.cron;
    add("recurrence", "no_template_schedule", shorten(text), `Hebdomadaire | ${cron}`, rules.template.name);
    return null;
  }
  if (word !== null) return word;
  if (!DIGIT.test(text)) {
    add("recurrence", "unknown_recurrence", shorten(text), `${recurrences} | ${cron}`);
    return null;
  }
  const code = judgeCron(text, rules.longest.cron);
  if (code) add("recurrence", code, shorten(text), cron);
  return code ? null : text;
}

function judgeParameters(values, rules, recurs, add) {
  for (const one of rules.parameters) {
    const control = `parameter.${one.name}`;
    const given = oneLine(values[control] ?? "");
    const text = given || (recurs && one.from_period ? one.example : "") || one.default;
    if (!text) {
      if (one.required) add("parameters", "missing_parameter", "", `${one.name} = ${one.example}`, one.name, control);
      continue;
    }
    const code = judgeParameter(one, text, rules);
    const example = one.choices.length ? offer(one.choices) : one.example;
    if (code) add("parameters", code, shorten(text), `${one.name} = ${example}`, one.name, control);
  }
}

function judgeSources(values, rules, purpose, service, add) {
  const isOpen = (source) =>
    (purpose === null || source.purposes.includes(purpose)) &&
    (service === null || !source.services.length || source.services.includes(service.name));
  for (const one of rules.sources) {
    const control = `source.${one.name}`;
    const open = one.fitting.filter(isOpen);
    const first = open.find((source) => source.default) ?? open[0];
    const picked = oneLine(values[control] ?? "") || (first?.name ?? "");
    if (picked ? open.some((source) => source.name === picked) : !one.required) continue;
    const isFitting = one.fitting.some((source) => source.name === picked);
    let code = isFitting ? "source_closed" : "unknown_source";
    if (!open.length) code = one.fitting.length ? "no_open_source" : "no_source";
    const lines = open.map((source) => `source.${one.name} = ${source.name}`);
    add("parameters", code, shorten(picked), offer(lines), one.name, control);
  }
}

function judgeParameter(one, text, rules) {
  if (!one.many) return judgeValue(one, text, rules);
  const parts = text.split(",").map(strip);
  if (parts.includes("")) return "empty_in_list";
  return parts.map((part) => judgeValue(one, part, rules)).find((code) => code) ?? "";
}

function judgeValue(one, text, rules) {
  const outside = (value) => (one.min !== null && value < one.min) || (one.max !== null && value > one.max);
  switch (one.type) {
    case "date": {
      const day = readDay(text);
      return day === null ? "not_a_date" : outside(day) ? "out_of_bounds" : "";
    }
    case "integer":
    case "number": {
      const value = readNumber(text, one.type === "integer");
      return value === null ? "not_a_number" : outside(value) ? "out_of_bounds" : "";
    }
    case "boolean":
      return [...rules.yes_no.yes, ...rules.yes_no.no].includes(fold(text, rules)) ? "" : "not_a_boolean";
    case "choice":
      return one.choices.some((choice) => fold(choice, rules) === fold(text, rules)) ? "" : "not_a_choice";
    default:
      return count(text) > one.max_length ? "too_long" : "";
  }
}

/* Cron expressions, as the library `cronsim` reads them */

const CRON_RANGES = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 7]];
const [DAY, MONTH, WEEKDAY] = [2, 3, 4];
const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split(" ");
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function judgeCron(text, longest) {
  const parts = text.toUpperCase().split(" ");
  if (parts.length !== 5 || count(text) > longest) return "unreadable_cron";
  let fields;
  try {
    fields = parts.map((part, index) => readCronField(part, index));
  } catch (error) {
    if (error instanceof RangeError) return "unreadable_cron";
    throw error;
  }
  const both = parts[DAY].startsWith("*") || parts[WEEKDAY].startsWith("*");
  if (!everFires(fields[DAY], fields[MONTH], fields[WEEKDAY], both)) return "cron_never_fires";
  return fields[0].length > 1 ? "cron_too_often" : "";
}

function unreadable() {
  throw new RangeError("unreadable cron expression");
}

const cronNumber = (text) => (/^[0-9]+$/.test(text) ? Number(text) : unreadable());

function cronValue(text, index) {
  if (index === MONTH && MONTHS.includes(text)) return MONTHS.indexOf(text) + 1;
  if (index === WEEKDAY && WEEKDAYS.includes(text)) return WEEKDAYS.indexOf(text);
  const value = cronNumber(text);
  const [low, high] = CRON_RANGES[index];
  return value < low || value > high ? unreadable() : value;
}

const range = (low, high, step = 1) => Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step);

function splitOnce(text, sign) {
  const at = text.indexOf(sign);
  return [text.slice(0, at), text.slice(at + 1)];
}

/* The values of a field: numbers; "L" and "LW" for days; "1L" and "1#2" for weekdays. */
function readCronField(text, index) {
  const [low, high] = CRON_RANGES[index];
  if (text === "*") return range(low, high);
  if (text.includes(",")) return [...new Set(text.split(",").flatMap((term) => readCronField(term, index)))];
  if (index === WEEKDAY && text.includes("L")) return [`${cronValue(String(cronNumber(text.slice(0, -1))), index)}L`];
  if (index === WEEKDAY && text.includes("#")) {
    const [term, place] = splitOnce(text, "#");
    const nth = cronNumber(place);
    return nth < 1 || nth > 5 ? unreadable() : [`${cronValue(term, index)}#${nth}`];
  }
  if (text.includes("/")) return readCronSteps(text, index);
  if (text.includes("-")) {
    const [start, end] = splitOnce(text, "-").map((one) => cronValue(one, index));
    return end < start ? unreadable() : range(start, end);
  }
  if (index === DAY && (text === "L" || text === "LW")) return [text];
  return [cronValue(text, index)];
}

function readCronSteps(text, index) {
  const [term, step] = splitOnce(text, "/");
  const width = cronNumber(step);
  if (width === 0) unreadable();
  const items = readCronField(term, index);
  if (items.length === 1 && typeof items[0] === "string") return items;
  if (items.length === 1) return range(items[0], CRON_RANGES[index][1], width);
  return [...items].sort((a, b) => a - b).filter((_, place) => place % width === 0);
}

/* Whether any day from 2000 on is meant; the library gives up after fifty years. */
function everFires(days, months, weekdays, both) {
  const longest = Math.max(...months.map((month) => LONGEST_MONTHS[month - 1]));
  if (both && days.every((day) => typeof day === "number" && day > longest)) return false;
  for (const moment = new Date(Date.UTC(2000, 0, 1)); moment.getUTCFullYear() <= 2050; moment.setUTCDate(moment.getUTCDate() + 1)) {
    if (!months.includes(moment.getUTCMonth() + 1)) continue;
    const last = new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + 1, 0));
    const [byDay, byWeekday] = [isMeantDay(moment, last, days), isMeantWeekday(moment, last, weekdays)];
    if (both ? byDay && byWeekday : byDay || byWeekday) return true;
  }
  return false;
}

function isMeantDay(moment, last, days) {
  const day = moment.getUTCDate();
  const back = { 0: 2, 6: 1 }[last.getUTCDay()] ?? 0;
  return days.includes(day)
    || (days.includes("L") && day === last.getUTCDate())
    || (days.includes("LW") && day === last.getUTCDate() - back);
}

function isMeantWeekday(moment, last, weekdays) {
  const [day, weekday] = [moment.getUTCDate(), moment.getUTCDay()];
  return [weekday, weekday || 7].some((one) => weekdays.includes(one)
    || (weekdays.includes(`${one}L`) && day + 7 > last.getUTCDate())
    || weekdays.includes(`${one}#${Math.ceil(day / 7)}`));
}

/* In words */

function fill(text, places) {
  return text.replace(/\{(\w+)\}/g, (_, name) => places[name]);
}

function explain(problem, rules) {
  const { field, code, found, example, name } = problem;
  const label = rules.gate[`field_${field}`] ?? rules.words[`field_${field}`];
  const text = fill(rules.gate[code] ?? rules.words[code], { name, found });
  const line = fill(rules.gate.line, { field: label, problem: text });
  return example ? `${line} ${fill(rules.gate.example, { example })}` : line;
}

/* The link to Jira's create screen; `left` are the fields that it cannot fill. */
function writeLink(ticket, rules) {
  const { link } = rules;
  if (!link) return null;
  const parts = [["pid", link.pid], ["issuetype", link.issuetype], ["summary", ticket.summary]];
  const left = [];
  if (ticket.description) parts.push(["description", ticket.description]);
  if (Object.hasOwn(link.components, ticket.components)) parts.push(["components", link.components[ticket.components]]);
  else left.push("components");
  for (const [field, id] of Object.entries(link.fields)) {
    const text = ticket[field];
    if (!text) continue;
    const options = link.options[field];
    if (options && !Object.hasOwn(options, text)) left.push(field);
    else if (field === "expires" && !link.iso_days) left.push(field);
    else parts.push([id, options ? options[text] : text]);
  }
  const query = parts.map((pair) => pair.map((one) => encodeURIComponent(one)).join("=")).join("&");
  const address = `${link.address}?${query}`;
  return { address: address.length <= link.longest ? address : null, left };
}
