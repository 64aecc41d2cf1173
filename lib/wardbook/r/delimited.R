# Strict reading of delimited text files, by the rules of `wardbook.delimited` in Python.
#
#   wardbook.records(path, layouts, delimiter)   a list of file (its name), lines and frame: all
#       columns as text, and the line of the file at which each row starts
#   wardbook.refuse(records, wrong, code, …)     stops where a row is wrong: first line, count
#   wardbook.counts, wardbook.dates              a column as whole numbers or days, or a problem
#   wardbook.refuse_duplicates(records, key)     stops where two rows have the same values
#
# Every problem has its line, and no value of the file is ever named: it may be a patient's.

# `layouts`: a list of the headers that the format knows, each the names of the columns.
wardbook.records <- function(path, layouts, delimiter) {
  file <- basename(path)
  data <- .wardbook.decode(file, .wardbook.bytes(path, file))
  blank <- match(TRUE, data != .wardbook.newline)
  if (is.na(blank)) wardbook.problem("file_empty", file = file)
  ends <- which(data == .wardbook.newline)
  ended <- length(ends) > 0 && ends[[length(ends)]] == length(data)
  end <- c(ends[ends > blank], length(data) + 1L)[[1]]
  columns <- .wardbook.header(file, data[blank:(end - 1L)], blank, layouts, delimiter)
  body <- data[-seq_len(min(end, length(data)))]
  if (length(body) && !ended) body <- c(body, .wardbook.newline)
  rows <- .wardbook.rows(file, body, delimiter, first_line = blank + 1L)
  .wardbook.check_rows(file, rows, length(columns), ended)
  fields <- matrix(rows$texts, ncol = length(columns), byrow = TRUE)
  frame <- as.data.frame(fields, stringsAsFactors = FALSE)
  names(frame) <- columns
  list(file = file, lines = rows$lines, frame = frame)
}

wardbook.refuse <- function(records, wrong, code, ...) {
  lines <- records$lines[wrong]
  if (length(lines)) {
    wardbook.problem(code, file = records$file, row = lines[[1]], count = length(lines), ...)
  }
}

wardbook.counts <- function(records, column) {
  texts <- records$frame[[column]]
  wardbook.refuse(records, texts %in% c("", "NA"), "number_missing", column = column)
  wardbook.refuse(records, grepl("\\A-[0-9]+\\z", texts, perl = TRUE), "number_negative",
                  column = column)
  wardbook.refuse(records, !grepl("\\A[0-9]{1,9}\\z", texts, perl = TRUE), "number_invalid",
                  column = column)
  as.integer(texts)
}

# `first` and `last` are the bounds of the days that the source may hold, as YYYY-MM-DD.
wardbook.dates <- function(records, column, first, last) {
  texts <- records$frame[[column]]
  form <- "\\A[0-9]{4}-[0-9]{2}-[0-9]{2}\\z"
  wardbook.refuse(records, !grepl(form, texts, perl = TRUE), "date_form", column = column)
  days <- as.Date(texts, format = "%Y-%m-%d")
  impossible <- is.na(days) | startsWith(texts, "0000")
  wardbook.refuse(records, impossible, "date_impossible", column = column)
  wardbook.refuse(records, texts < first | texts > last, "date_outside",
                  column = column, first = first, last = last)
  days
}

wardbook.refuse_duplicates <- function(records, key) {
  values <- do.call(paste, c(unname(records$frame[key]), sep = "\037"))
  repeated <- which(duplicated(values))
  if (length(repeated)) {
    wardbook.problem(
      "key_duplicated", file = records$file, row = records$lines[[repeated[[1]]]],
      other = records$lines[[match(values[[repeated[[1]]]], values)]],
      column = paste(key, collapse = ", "), count = length(repeated)
    )
  }
}

.wardbook.newline <- as.raw(0x0a)
.wardbook.quote_mark <- as.raw(0x22)

.wardbook.bytes <- function(path, file) {
  if (!file.exists(path)) wardbook.problem("file_missing", file = file)
  if (dir.exists(path) || file.access(path, 4) != 0) wardbook.problem("file_unreadable", file = file)
  data <- readBin(path, "raw", file.size(path))
  starts <- list(c(0x1f, 0x8b), c(0x50, 0x4b, 3, 4), c(0x42, 0x5a, 0x68),
                 c(0xfd, 0x37, 0x7a, 0x58, 0x5a), c(0x28, 0xb5, 0x2f, 0xfd))
  if (any(vapply(starts, .wardbook.starts, TRUE, data = data))) {
    wardbook.problem("file_compressed", file = file)
  }
  data
}

.wardbook.starts <- function(start, data) identical(utils::head(data, length(start)), as.raw(start))

# UTF-8 without byte order mark, lines ended by LF alone.
.wardbook.decode <- function(file, data) {
  nul <- data == as.raw(0)
  readable <- data
  readable[nul] <- as.raw(1)
  lines <- strsplit(rawToChar(readable), "\n", fixed = TRUE, useBytes = TRUE)[[1]]
  bad <- match(FALSE, validUTF8(lines))
  if (is.na(bad) && any(nul)) bad <- sum(data[seq_len(which(nul)[[1]])] == .wardbook.newline) + 1L
  if (!is.na(bad)) wardbook.problem("not_utf8", file = file, row = bad)
  if (.wardbook.starts(c(0xef, 0xbb, 0xbf), data)) data <- data[-(1:3)]
  returns <- which(data == as.raw(0x0d))
  returns <- returns[returns < length(data)]
  returns <- returns[data[returns + 1L] == .wardbook.newline]
  if (length(returns)) data[-returns] else data
}

# ---- the header --------------------------------------------------------------------------------

.wardbook.header <- function(file, header, row, layouts, delimiter) {
  found <- .wardbook.cells(header, delimiter)
  for (layout in layouts) if (identical(found, layout)) return(layout)
  likeness <- vapply(layouts, function(one) 2 * length(intersect(found, one)) - length(one), 0)
  expected <- layouts[[which.max(likeness)]]
  names <- paste(expected, collapse = delimiter)
  other <- if (delimiter == ";") "," else ";"
  if (length(found) == 1 && any(header == charToRaw(other))) {
    wardbook.problem("delimiter_wrong", file = file, row = row, expected = names)
  }
  if (!any(found %in% expected)) {
    wardbook.problem("header_missing", file = file, row = row, expected = names)
  }
  both <- seq_len(min(length(found), length(expected)))
  position <- c(which(found[both] != expected[both]), length(expected) + 1L)[[1]]
  same <- length(found) == length(expected)
  if (same) {
    code <- if (identical(sort(found), sort(expected))) "columns_reordered" else "columns_renamed"
    wardbook.problem(code, file = file, position = position, column = expected[[position]],
                     expected = names)
  }
  missing <- setdiff(expected, found)
  if (length(missing)) {
    wardbook.problem("columns_missing", file = file, column = paste(missing, collapse = ", "),
                     expected = names)
  }
  wardbook.problem("columns_extra", file = file, position = position, expected = names)
}

# A header's cells; one whose quotes are wrong is read to its end, because it is refused by its names.
.wardbook.cells <- function(header, delimiter) {
  cells <- ""
  state <- "start"
  text <- sub("\r\\z", "", rawToChar(header), perl = TRUE, useBytes = TRUE)
  for (mark in strsplit(text, "", fixed = TRUE, useBytes = TRUE)[[1]]) {
    ends <- mark == delimiter && state != "quoted"
    opens <- mark == '"' && state == "start"
    closes <- mark == '"' && state == "quoted"
    if (ends) cells <- c(cells, "")
    else if (!opens && !closes) cells[length(cells)] <- paste0(cells[length(cells)], mark)
    state <- if (ends) "start" else if (opens) "quoted" else if (closes) "closed"
             else if (state == "quoted" || (state == "closed" && mark == '"')) "quoted" else "plain"
  }
  Encoding(cells) <- "UTF-8"
  cells
}

# ---- the rows ----------------------------------------------------------------------------------

.wardbook.rows <- function(file, body, delimiter, first_line) {
  newlines <- which(body == .wardbook.newline)
  wrong <- .wardbook.wrong_quotes(body, delimiter)
  if (length(wrong)) {
    row <- sum(newlines < min(wrong)) + first_line
    wardbook.problem("quote_misplaced", file = file, row = row)
  }
  rows <- .wardbook.split(body, delimiter)
  rows$lines <- findInterval(rows$starts - 1L, newlines) + first_line
  rows
}

# Where a quote neither opens nor closes a whole field, or is never closed.
.wardbook.wrong_quotes <- function(body, delimiter) {
  quotes <- which(body == .wardbook.quote_mark)
  if (!length(quotes)) return(quotes)
  edges <- c(charToRaw(delimiter), .wardbook.newline, .wardbook.quote_mark)
  odd <- seq_along(quotes) %% 2 == 1
  opening <- quotes[odd]
  closing <- quotes[!odd]
  c(
    opening[opening > 1 & !body[pmax(opening - 1L, 1L)] %in% edges],
    closing[!body[closing + 1L] %in% edges],
    if (length(quotes) %% 2) quotes[[length(quotes)]]
  )
}

# The fields of all rows that are not blank, in one vector, with each row's start and count of fields.
.wardbook.split <- function(body, delimiter) {
  outside <- cumsum(body == .wardbook.quote_mark) %% 2 == 0
  ends <- which(body == .wardbook.newline & outside)
  starts <- c(1L, ends + 1L)[seq_along(ends)]
  filled <- ends > starts
  separators <- which(body == charToRaw(delimiter) & outside)
  fields <- findInterval(ends, separators) - findInterval(starts - 1L, separators) + 1L
  cuts <- sort(c(separators, ends[filled]))
  blank <- ends[!filled]
  # All separators are taken out, so that the fields' lengths tell them apart.
  away <- c(cuts, ends[!filled])
  lengths <- diff(c(0L, cuts - findInterval(cuts, sort(away))))
  kept <- if (length(away)) body[-away] else body
  texts <- if (length(cuts)) readChar(kept, lengths, useBytes = TRUE) else character()
  quoted <- startsWith(texts, '"')
  inner <- sub('(?s)\\A"(.*)"\\z', "\\1", texts[quoted], perl = TRUE, useBytes = TRUE)
  texts[quoted] <- gsub('""', '"', inner, fixed = TRUE, useBytes = TRUE)
  Encoding(texts) <- "UTF-8"
  list(texts = texts, starts = starts[filled], fields = fields[filled])
}

.wardbook.check_rows <- function(file, rows, expected, ended) {
  count <- length(rows$lines)
  if (!count) wardbook.problem("no_rows", file = file)
  wrong <- which(rows$fields != expected)
  if (length(wrong) && (wrong[[1]] < count || rows$fields[[count]] > expected)) {
    wardbook.problem("fields_count", file = file, row = rows$lines[[wrong[[1]]]],
                     expected = expected, count = length(wrong))
  }
  last <- rows$lines[[count]]
  if (length(wrong)) wardbook.problem("line_cut", file = file, row = last, expected = expected)
  if (!ended) wardbook.problem("line_end_missing", file = file, row = last)
}
