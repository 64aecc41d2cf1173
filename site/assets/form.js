/* The requesters' form: reads the controls, shows what form_judge.js finds, composes the ticket.
   Nothing is stored and nothing is sent: the requester opens Jira, reads and files. */
"use strict";

const form = document.getElementById("form");
const rules = JSON.parse(form.dataset.rules);
const controls = [...form.querySelectorAll("[data-control]")];
const problemsBox = document.getElementById("form-problems");
const readyBox = document.getElementById("form-ready");
const saidBox = document.getElementById("form-said");
let wasChecked = false;

/* Reading */

function readControl(control) {
  if (control.dataset.kind === "checks") {
    return [...control.querySelectorAll("input[type=checkbox]:checked")].map((one) => one.value).join(", ");
  }
  /* A day that is typed in part has no value: it is no day, and not nothing. */
  return control.validity.badInput ? "?" : control.value;
}

function readValues() {
  const values = Object.fromEntries(controls.map((one) => [one.dataset.control, readControl(one)]));
  if (values.recurrence === "cron" && values.cron) values.recurrence = values.cron;
  return values;
}

function dayInZone(zone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" })
    .formatToParts(new Date());
  const part = (type) => parts.find((one) => one.type === type).value;
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/* What goes with what */

function adapt() {
  const values = readValues();
  const purpose = pick(values.purpose, rules.purposes, rules);
  narrow("legal_basis", purpose);
  narrow("approver", values.components);
  for (const box of form.querySelectorAll("[data-research]")) box.hidden = purpose !== "research";
  for (const box of form.querySelectorAll("[data-cron]")) box.hidden = form.querySelector("#f-recurrence").value !== "cron";
}

function narrow(name, wanted) {
  const select = document.getElementById(`f-${name}`);
  for (const option of select.querySelectorAll("[data-of]")) {
    option.disabled = option.hidden = Boolean(wanted) && option.dataset.of !== wanted;
  }
  if (select.selectedOptions[0]?.disabled) {
    /* The same person may approve for another service too. */
    const same = [...select.options].find((one) => one.value === select.value && !one.disabled);
    select.selectedIndex = same ? same.index : 0;
  }
  const open = [...select.options].filter((one) => one.value && !one.disabled);
  if (wanted && open.length === 1) select.selectedIndex = open[0].index;
}

/* Problems */

function elementOf(problem) {
  const name = problem.control === "recurrence" && !form.querySelector("[data-cron]")?.hidden ? "cron" : problem.control;
  return document.getElementById(`f-${name.replaceAll(".", "-")}`) ?? document.getElementById("f-summary");
}

function showProblems(problems) {
  for (const old of form.querySelectorAll(".form-error")) old.remove();
  for (const control of controls) {
    control.removeAttribute("aria-invalid");
    control.setAttribute("aria-describedby", `${control.id}-hint`);
    control.closest(".form-field").classList.remove("form-wrong");
  }
  const items = problems.map((problem, index) => {
    const text = explain(problem, rules);
    const element = elementOf(problem);
    markWrong(element, text, index);
    const link = document.createElement("a");
    const target = element.dataset.kind === "checks" ? element.querySelector("input") : element;
    if (!target.id) target.id = `${element.id}-first`;
    link.href = `#${target.id}`;
    link.textContent = text;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      target.focus();
      element.closest(".form-field").scrollIntoView({ block: "center" });
    });
    const item = document.createElement("li");
    item.append(link);
    return item;
  });
  problemsBox.querySelector("ul").replaceChildren(...items);
  problemsBox.hidden = items.length === 0;
}

function markWrong(element, text, index) {
  const field = element.closest(".form-field");
  const note = document.createElement("p");
  note.className = "form-error";
  note.id = `form-error-${index}`;
  note.textContent = text;
  field.classList.add("form-wrong");
  if (element.dataset.kind === "checks") element.querySelector("legend").after(note);
  else {
    element.before(note);
    element.setAttribute("aria-invalid", "true");
  }
  element.setAttribute("aria-describedby", `${element.getAttribute("aria-describedby")} ${note.id}`);
}

function check(event) {
  event.preventDefault();
  wasChecked = true;
  const values = readValues();
  const problems = judge(values, rules, dayInZone(rules.zone));
  showProblems(problems);
  readyBox.hidden = problems.length > 0;
  if (problems.length) {
    saidBox.textContent = fill(rules.words.problems, { count: problems.length });
    problemsBox.focus();
  } else {
    showTicket(compose(values, rules));
    saidBox.textContent = rules.words.composed;
    document.getElementById("form-ready-title").focus();
  }
}

function recheck() {
  readyBox.hidden = true;
  adapt();
  if (wasChecked) showProblems(judge(readValues(), rules, dayInZone(rules.zone)));
}

/* The ticket */

const labelOf = (field) => rules.gate[`field_${field}`] ?? rules.words[`field_${field}`];
const nameOf = (account) => rules.people[account] ?? account;

function showTicket(ticket) {
  const given = Object.entries(ticket).filter(([, text]) => text);
  const shown = given.map(([field, text]) => [field, ["approver", "dpo"].includes(field) ? nameOf(text) : text]);
  document.getElementById("form-fields").replaceChildren(...shown.map(([field, text]) => showField(field, text)));
  document.getElementById("form-whole").value = shown
    .map(([field, text]) => (text.includes("\n") || field === "parameters" ? `${labelOf(field)}\n${text}\n` : `${labelOf(field)}: ${text}`))
    .join("\n");
  showLink(ticket);
}

function showField(field, text) {
  const box = document.createElement("div");
  const label = document.createElement("label");
  const area = document.createElement("textarea");
  const button = document.createElement("button");
  area.id = label.htmlFor = `form-field-${field}`;
  area.readOnly = true;
  area.value = text;
  area.rows = Math.min(8, text.split("\n").length);
  label.textContent = labelOf(field);
  button.type = "button";
  button.className = "button";
  button.textContent = rules.words.copy;
  button.setAttribute("aria-label", fill(rules.words.copy_field, { field: labelOf(field) }));
  button.dataset.copy = area.id;
  box.append(label, area, button);
  return box;
}

function showLink(ticket) {
  const link = writeLink(ticket, rules);
  if (!link) return;
  const opener = document.getElementById("form-open");
  const left = document.getElementById("form-left");
  opener.hidden = !link.address;
  document.getElementById("form-long").hidden = Boolean(link.address);
  if (link.address) opener.firstElementChild.href = link.address;
  document.getElementById("form-copy").open = !link.address || link.left.length > 0;
  left.hidden = !link.address || link.left.length === 0;
  left.textContent = fill(rules.words.by_hand_left, { fields: link.left.map(labelOf).join(", ") });
}

async function copyText(button) {
  const area = document.getElementById(button.dataset.copy);
  const label = area.labels[0].textContent;
  area.focus();
  area.select();
  let done = false;
  try {
    /* Browsers offer the first over https alone. */
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(area.value);
      done = true;
    } else done = document.execCommand("copy");
  } catch {
    done = false;
  }
  saidBox.textContent = done ? fill(rules.words.copied, { field: label }) : rules.words.copy_by_hand;
  if (done) button.focus();
}

/* Free text that looks like a patient's data: a warning, no refusal. The unit's own search
   (lib/wardbook/identifiers) knows far more; names are not recognised here at all. */

const LOOKS_LIKE = {
  nir: /(?:^|[^0-9])[123478][ .-]?[0-9]{2}[ .-]?(?:0[1-9]|1[0-2]|20|3[0-9]|4[0-2]|[5-9][0-9])[ .-]?(?:[0-9]{2}|2[AB])[ .-]?[0-9]{3}[ .-]?[0-9]{3}(?:[ .-]?[0-9]{2})?(?![0-9])/i,
  phone: /(?:^|[^0-9])(?:(?:\+|00)33[ .-]?(?:\(0\))?|0)[1-9](?:[ .-]?[0-9]{2}){4}(?![0-9])/,
  email: /[\w.+%-]+@[\w-]+(?:\.[\w-]+)+/,
  birth: /(?:\bn[ée]{1,2}s? le|naissance|\bddn\b|\bborn( on)?|birth)[^0-9\n]{0,15}[0-9]{1,4}[ ./-]/i,
  number: /\b(?:ipp|nip|nda|iep|dossier|patiente?|séjour|venue|record|stay)\b[^0-9\n]{0,20}[0-9]{6,12}(?![0-9])/i,
};

function warn(control) {
  const text = control.value.normalize("NFKC").replace(BLANKS, " ");
  const kind = Object.keys(LOOKS_LIKE).find((one) => LOOKS_LIKE[one].test(text));
  const said = kind ? fill(rules.words.looks_like, { kind: rules.words[`looks_like_${kind}`] }) : "";
  const box = control.closest(".form-field").querySelector(".form-warning");
  if (box.textContent !== said) box.textContent = said;
}

/* Long lists */

const searchable = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function filter(input) {
  const list = input.closest(".form-checks");
  const labels = [...list.querySelectorAll(".form-choices label")];
  const wanted = searchable(input.value.trim());
  for (const label of labels) {
    label.hidden = !searchable(label.textContent).includes(wanted) && !label.firstElementChild.checked;
  }
  const shown = labels.filter((label) => !label.hidden).length;
  list.querySelector(".form-count").textContent = fill(rules.words.shown_choices, { count: shown, total: labels.length });
}

/* Beginning */

form.addEventListener("submit", check);
form.addEventListener("change", (event) => {
  if (!("filter" in event.target.dataset)) recheck();
});
form.addEventListener("input", (event) => {
  if ("filter" in event.target.dataset) filter(event.target);
  else readyBox.hidden = true;
  if ("free" in event.target.dataset) warn(event.target);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copyText(button);
});
document.getElementById("form-no-script").hidden = true;
document.getElementById("form-by-hand").open = false;
form.hidden = false;
adapt();
