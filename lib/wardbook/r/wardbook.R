# The notebook's side of the library in R: the functions of `wardbook.notebook`, same promises.
#
#   wardbook.params()      the parameters, params$NAME each: character, integer, double, logical or
#                          Date; a vector of those where the template declares `many`; NULL where
#                          the request does not give it. A missing value inside a vector is NA. Whole
#                          numbers outside of R's integers are doubles, below 2^53.
#   wardbook.source(name)  the path of a source's file, or NULL for an optional one not given
#   wardbook.read(name)    the rows of a source whose kind is a dataset: character, integer, double,
#                          Date, POSIXct or logical; NULL for an optional one not given. A moment is
#                          the local clock's, held as if it were UTC: no hour is missing or double.
#   wardbook.language()    "fr" or "en"
#   wardbook.text(key, …)  the template's text, its places {name} or {name:.1f} filled by name
#   wardbook.say(key, …)   publishes that text, as Markdown, at this place of the report
#   wardbook.table, wardbook.figure   write a declared output and publish it at this place
#   wardbook.problem(code, …)         stops: a source is not what its format promises
#   wardbook.departments() the departments of France with their regions
#
# Errors have the classes of the Python side: DataProblem, TemplateProblem, EnvironmentFault.

# ---- what the notebook is given ----------------------------------------------------------------

wardbook.params <- function() .wardbook.session()$parameters

wardbook.language <- function() .wardbook.session()$language

wardbook.source <- function(name) {
  session <- .wardbook.session()
  if (!is.null(session$sources[[name]])) return(session$sources[[name]])
  required <- session$declared_sources[[name]]
  if (is.null(required)) {
    .wardbook.stop("TemplateProblem", sprintf(
      "template.toml declares no source '%s', only: %s. Add it there.",
      name, .wardbook.list(names(session$declared_sources))
    ))
  }
  if (!required) return(NULL)
  .wardbook.stop("EnvironmentFault", sprintf(
    if (session$by_hand) {
      "no file for the source '%s'. Set WARDBOOK_SOURCE_%s to its path."
    } else {
      "the run has no file for the source '%s'. Name one in the settings."
    }, name, toupper(name)
  ))
}

wardbook.read <- function(name) {
  if (is.null(wardbook.source(name))) return(NULL)
  file <- tempfile(fileext = ".csv")
  on.exit(unlink(file))
  kinds <- .wardbook.ask(c("read", name, file))$columns
  texts <- utils::read.csv(file, colClasses = "character", na.strings = "", encoding = "UTF-8",
                           check.names = FALSE)
  frame <- Map(.wardbook.typed, as.list(texts), kinds[names(texts)])
  as.data.frame(frame, stringsAsFactors = FALSE, check.names = FALSE)
}

.wardbook.typed <- function(texts, kind) {
  distinct <- unique(texts)
  values <- switch(kind,
    text = distinct,
    integer = .wardbook.whole(distinct),
    number = .wardbook.parse(distinct),
    day = as.Date(substr(distinct, 1, 10), format = "%Y-%m-%d"),
    moment = as.POSIXct(distinct, format = "%Y-%m-%dT%H:%M:%S", tz = "UTC"),
    flag = distinct == "1"
  )
  values[match(texts, distinct)]
}

wardbook.text <- function(key, ...) .wardbook.fill(key, list(...), identity)

wardbook.departments <- function() {
  # Texts alone: a column of codes is no column of numbers.
  as.data.frame(.wardbook.ask("departments", simplify = TRUE), stringsAsFactors = FALSE)
}

.wardbook.look_up <- function(x, name) {
  values <- unclass(x)
  if (!name %in% names(values)) {
    stop(sprintf("no parameter '%s'; the template declares: %s", name,
                 .wardbook.list(names(values))), call. = FALSE)
  }
  values[[name]]
}
.wardbook.keep <- function(x, name, value) {
  stop(sprintf("parameters are read-only: '%s' keeps the request's value", name), call. = FALSE)
}
# R does not look for methods on the search path: they are registered.
for (generic in c("$", "[[")) {
  registerS3method(generic, "wardbook.params", .wardbook.look_up, baseenv())
  registerS3method(paste0(generic, "<-"), "wardbook.params", .wardbook.keep, baseenv())
}
rm(generic)
registerS3method("print", "wardbook.params", function(x, ...) utils::str(unclass(x), ...), baseenv())

# ---- what it produces --------------------------------------------------------------------------

wardbook.say <- function(key, ...) {
  .wardbook.publish(
    list("text/markdown" = .wardbook.fill(key, list(...), .wardbook.escape)), "text", key
  )
}

# The file is UTF-8 with a header, commas, ISO dates, every digit of a double and nothing for NA:
# the same bytes that Python writes. `show` is TRUE, FALSE, or the greatest number of rows to publish.
wardbook.table <- function(name, frame, caption = "", show = TRUE) {
  declared <- .wardbook.declared(name, "table")
  .wardbook.refuse_columns(name, names(frame), unlist(declared$columns))
  file <- paste0(name, ".csv")
  .wardbook.write(file, charToRaw(.wardbook.csv(frame)))
  .wardbook.declare(file, name, "table", declared$title, caption, rows = nrow(frame))
  if (!identical(show, FALSE) && .wardbook.in_kernel()) {
    preview <- utils::head(as.data.frame(frame), 20)
    shown <- list("text/html" = repr::repr_html(preview), "text/plain" = repr::repr_text(preview))
    .wardbook.publish(shown, "table", name, if (isTRUE(show)) NULL else as.integer(show))
  }
  invisible(NULL)
}

# `plot` is a function without arguments that draws with base graphics, or an object that draws
# itself when printed, as ggplot2's. `width` and `height` are inches. The picture has no metadata.
wardbook.figure <- function(name, plot, caption, alternative, width = 8, height = 4.5, dpi = 150) {
  declared <- .wardbook.declared(name, "figure")
  if (!nzchar(trimws(alternative))) {
    .wardbook.stop("TemplateProblem", sprintf(
      "figure '%s' has no alternative text. Say in `alternative` what it shows.", name
    ))
  }
  picture <- .wardbook.draw(plot, width, height, dpi)
  file <- paste0(name, ".png")
  .wardbook.write(file, picture)
  .wardbook.declare(file, name, "figure", declared$title, caption, alternative)
  .wardbook.publish(list("image/png" = picture, "text/plain" = alternative), "figure", name)
}

wardbook.problem <- function(code, ...) {
  details <- list(...)
  details <- lapply(details, function(one) if (is.numeric(one)) as.integer(one) else one)
  places <- paste(names(details), details, sep = " = ", collapse = ", ")
  stop(structure(
    class = c("DataProblem", "error", "condition"),
    list(message = paste0(code, ": ", places), call = NULL, code = code, details = details)
  ))
}

# ---- the session -------------------------------------------------------------------------------

.wardbook.memory <- new.env()

.wardbook.session <- function() {
  # By hand the answer depends on the working directory, inside a run on its folder.
  place <- Sys.getenv("WARDBOOK_RUN", getwd())
  if (!identical(.wardbook.memory$place, place)) {
    session <- .wardbook.ask("session")
    session$parameters <- structure(lapply(session$parameters, .wardbook.value),
                                    class = "wardbook.params")
    .wardbook.memory$session <- session
    .wardbook.memory$place <- place
  }
  .wardbook.memory$session
}

.wardbook.ask <- function(question, simplify = FALSE) {
  python <- Sys.getenv("WARDBOOK_PYTHON", "python3")
  answer <- suppressWarnings(system2(python, c("-m", "wardbook.r", shQuote(question)), stdout = TRUE))
  if (!is.null(attr(answer, "status"))) {
    .wardbook.stop("EnvironmentFault", sprintf(
      "%s -m wardbook.r %s failed. Set WARDBOOK_PYTHON to a Python that has wardbook.",
      python, question[[1]]
    ))
  }
  answer <- paste(answer, collapse = "\n")
  Encoding(answer) <- "UTF-8"
  answer <- jsonlite::fromJSON(answer, simplifyVector = simplify)
  if (identical(answer$error, "DataProblem")) {
    do.call(wardbook.problem, c(list(answer$code), answer$details))
  }
  if (!is.null(answer$error)) .wardbook.stop(answer$error, answer$message)
  answer
}

.wardbook.value <- function(described) {
  if (is.null(described)) return(NULL)
  texts <- vapply(described$values, function(one) if (is.null(one)) NA_character_ else one, "")
  switch(described$type,
    character = texts,
    logical = texts == "True",
    date = as.Date(texts, format = "%Y-%m-%d"),
    double = .wardbook.parse(texts),
    integer = .wardbook.whole(texts)
  )
}

.wardbook.whole <- function(texts) {
  numbers <- .wardbook.parse(texts)
  if (any(abs(numbers) >= 2^53, na.rm = TRUE)) {
    .wardbook.stop("TemplateProblem", "R holds no whole number from 2^53 on. Set a bound to it.")
  }
  if (all(abs(numbers) <= .Machine$integer.max | is.na(numbers))) as.integer(numbers) else numbers
}

# R's own reading of numbers may be off by the last bit; the JSON library's is not.
.wardbook.parse <- function(texts) {
  texts[is.na(texts)] <- "null"
  list <- jsonlite::fromJSON(paste0("[", paste(texts, collapse = ","), "]"), simplifyVector = FALSE)
  vapply(list, function(one) if (is.null(one)) NA_real_ else as.double(one), 0)
}

# ---- texts -------------------------------------------------------------------------------------

# Every ASCII punctuation mark may be escaped in CommonMark, so all of them are.
.wardbook.escape <- function(text) {
  text <- gsub("[ \t\n\r\f\v]+", " ", text, perl = TRUE)
  gsub("([!-/:-@\\[-`{-~])", "\\\\\\1", text, perl = TRUE)
}

.wardbook.fill <- function(key, values, quote) {
  text <- .wardbook.session()$texts[[key]]
  if (is.null(text)) {
    .wardbook.stop("TemplateProblem", sprintf(
      "texts.toml has no text '%s' in this language. Add it there.", key
    ))
  }
  refuse <- function(reason) .wardbook.stop("TemplateProblem", sprintf(
    "texts.toml: text '%s': %s. Give each place its value by name.", key, reason
  ))
  place <- function(mark) {
    if (mark %in% c("{{", "}}")) return(substr(mark, 1, 1))
    parts <- regmatches(mark, regexec("^\\{([A-Za-z_][A-Za-z0-9_]*)(:(\\.[0-9]+f))?\\}$", mark))[[1]]
    if (!length(parts)) refuse("a place does not fit")
    name <- parts[[2]]
    if (!name %in% names(values)) refuse(sprintf("no value for '%s'", name))
    value <- values[[name]]
    if (length(value) != 1 || is.na(value)) refuse(sprintf("no single value for '%s'", name))
    if (!nzchar(parts[[4]])) return(quote(.wardbook.plain(value)))
    if (!is.numeric(value)) refuse("a place does not fit")
    quote(sprintf(paste0("%", parts[[4]]), value))
  }
  marks <- gregexpr("\\{\\{|\\}\\}|\\{[^{}]*\\}|[{}]", text, perl = TRUE)
  found <- regmatches(text, marks)[[1]]
  regmatches(text, marks) <- list(vapply(found, place, ""))
  enc2utf8(text)
}

# One value as text, written as in a table, but whole numbers without a decimal point: R's numbers
# are doubles wherever nobody said otherwise.
.wardbook.plain <- function(value) {
  sub("\\.0$", "", .wardbook.column(value), perl = TRUE)
}

# ---- tables and figures -------------------------------------------------------------------------

.wardbook.refuse_columns <- function(name, found, declared) {
  if (identical(as.character(found), as.character(declared))) return(invisible())
  missing <- setdiff(declared, found)
  surplus <- which(!found %in% declared)
  parts <- c(
    if (length(missing)) paste("missing:", paste(missing, collapse = ", ")),
    if (length(surplus)) paste("not declared: at position", paste(surplus, collapse = ", "))
  )
  if (!length(parts)) parts <- "the same in another order, or twice"
  .wardbook.stop("TemplateProblem", sprintf(
    "table '%s' must have the columns %s, in this order; %s. Mend the notebook or the declaration.",
    name, paste(declared, collapse = ", "), paste(parts, collapse = "; ")
  ))
}

.wardbook.draw <- function(plot, width, height, dpi) {
  file <- tempfile(fileext = ".png")
  on.exit(unlink(file))
  before <- grDevices::dev.cur()
  grDevices::png(file, width, height, units = "in", res = dpi, type = "cairo",
                 antialias = "gray")
  device <- grDevices::dev.cur()
  closed <- FALSE
  close <- function() {
    if (!closed) grDevices::dev.off(device)
    if (before > 1) grDevices::dev.set(before)
    closed <<- TRUE
  }
  on.exit(close(), add = TRUE)
  if (is.function(plot)) plot() else print(plot)
  close()
  readBin(file, "raw", file.size(file))
}

# ---- files and index ---------------------------------------------------------------------------

.wardbook.declared <- function(name, kind) {
  outputs <- .wardbook.session()$declared_outputs
  kinds <- vapply(outputs, function(output) output$kind, "")
  if (!identical(unname(kinds[name]), kind)) {
    .wardbook.stop("TemplateProblem", sprintf(
      "template.toml declares no %s '%s', only: %s. Declare it there.",
      kind, name, .wardbook.list(names(outputs)[kinds == kind])
    ))
  }
  outputs[[name]]
}

.wardbook.declare <- function(file, name, kind, title, caption, alternative = "", rows = 0L) {
  path <- file.path(.wardbook.session()$outputs, file)
  output <- list(
    name = name, kind = kind, file = file,
    sha256 = digest::digest(path, algo = "sha256", file = TRUE), size = file.size(path),
    title = title, caption = enc2utf8(caption), alternative = enc2utf8(alternative), rows = rows
  )
  index <- file.path(.wardbook.session()$outputs, "index.json")
  others <- if (file.exists(index)) jsonlite::read_json(index) else list()
  others <- Filter(function(other) other$name != name, others)
  json <- jsonlite::toJSON(c(others, list(output)), auto_unbox = TRUE, digits = NA, pretty = 1)
  .wardbook.write("index.json", charToRaw(enc2utf8(as.character(json))))
}

# A reader, or a crash, sees the old file or the new one.
.wardbook.write <- function(file, bytes) {
  outputs <- .wardbook.session()$outputs
  dir.create(outputs, showWarnings = FALSE)
  temporary <- tempfile(".", outputs, ".part")
  writeBin(bytes, temporary)
  Sys.chmod(temporary, "0600")
  if (!file.rename(temporary, file.path(outputs, file))) {
    unlink(temporary)
    .wardbook.stop("EnvironmentFault", sprintf("%s cannot be written. Look at its folder.", file))
  }
}

# ---- displays and errors -----------------------------------------------------------------------

.wardbook.in_kernel <- function() isTRUE(getOption("jupyter.in_kernel"))

.wardbook.publish <- function(data, kind, output = NULL, rows = NULL) {
  # NA becomes JSON's null, NULL would become an empty object.
  mark <- list(publish = kind, output = if (is.null(output)) NA else output,
               rows = if (is.null(rows)) NA else rows)
  if (.wardbook.in_kernel()) IRdisplay::publish_mimebundle(data, list(wardbook = mark))
  invisible(NULL)
}

.wardbook.stop <- function(class, message) {
  stop(structure(class = c(class, "error", "condition"), list(message = message, call = NULL)))
}

.wardbook.list <- function(names) if (length(names)) paste(names, collapse = ", ") else "none"
