# A frame as the bytes of the CSV file that Python would write of it; see `wardbook.table`.

.wardbook.csv <- function(frame) {
  columns <- lapply(unname(as.list(frame)), function(column) .wardbook.quote(.wardbook.column(column)))
  header <- paste(.wardbook.quote(enc2utf8(names(frame))), collapse = ",")
  rows <- if (nrow(frame)) do.call(paste, c(columns, sep = ",")) else character()
  # A row that is nothing but an empty field would be a blank line.
  if (length(columns) == 1) rows[rows == ""] <- '""'
  paste0(c(header, rows, ""), collapse = "\n")
}

.wardbook.quote <- function(texts) {
  quoted <- grepl("[\",\n\r]", texts, perl = TRUE)
  texts[quoted] <- paste0('"', gsub('"', '""', texts[quoted], fixed = TRUE), '"')
  texts
}

.wardbook.column <- function(column) {
  texts <-
    if (inherits(column, "POSIXct")) .wardbook.times(column)
    else if (inherits(column, "Date")) format(column, "%Y-%m-%d")
    else if (is.logical(column)) ifelse(column, "True", "False")
    else if (is.integer(column) && !is.factor(column)) sprintf("%d", column)
    else if (is.double(column) && is.null(attr(column, "class"))) .wardbook.shortest(column)
    else if (is.character(column) || is.factor(column)) enc2utf8(as.character(column))
    else .wardbook.stop("TemplateProblem", sprintf(
      "no column of a table may be of class %s. Make it text, a number, a date or a truth value.",
      class(column)[[1]]
    ))
  texts[is.na(column)] <- ""
  texts
}

.wardbook.times <- function(times) {
  zone <- attr(times, "tzone")
  whole_days <- all(format(times[!is.na(times)], "%H:%M:%OS6") == "00:00:00.000000")
  # Times without a zone of their own are written without an offset, as Python's are.
  offset <- if (is.null(zone) || !nzchar(zone[[1]])) "" else "%z"
  format(times, if (whole_days) "%Y-%m-%d" else paste0("%Y-%m-%dT%H:%M:%S", offset))
}

# The shortest digits that read back as the same double, in the form of Python's repr.
.wardbook.shortest <- function(numbers) {
  distinct <- unique(numbers)
  texts <- character(length(distinct))
  whole <- is.finite(distinct)
  texts[whole] <- .wardbook.repr(distinct[whole])
  texts[!whole] <- ifelse(distinct[!whole] > 0, "inf", "-inf")
  texts <- texts[match(numbers, distinct)]
  zero <- which(numbers == 0)
  texts[zero] <- ifelse(1 / numbers[zero] < 0, "-0.0", "0.0") # to R the same number
  texts
}

.wardbook.repr <- function(numbers) {
  digits <- rep(NA_character_, length(numbers))
  # Below the least normal double fewer than 15 digits may do.
  least <- if (any(abs(numbers) < .Machine$double.xmin)) 0 else 14
  for (decimals in least:16) {
    left <- which(is.na(digits))
    if (!length(left)) break
    near <- sprintf(paste0("%.", decimals, "e"), numbers[left])
    same <- .wardbook.parse(near) == numbers[left]
    digits[left[same]] <- near[same]
    # Beside a power of two the next number outward may read back where the nearest does not.
    if (decimals == 15 && !all(same)) {
      rest <- left[!same]
      outward <- .wardbook.outward(near[!same])
      fits <- .wardbook.parse(outward) == numbers[rest]
      digits[rest[fits]] <- outward[fits]
    }
  }
  vapply(digits, .wardbook.layout, "", USE.NAMES = FALSE)
}

# The same text with its last digit one higher; a 9 there is left alone, it has a shorter neighbour.
.wardbook.outward <- function(texts) {
  last <- regexpr("[0-8](?=e)", texts, perl = TRUE)
  regmatches(texts, last) <- as.character(as.integer(regmatches(texts, last)) + 1L)
  texts
}

.wardbook.layout <- function(scientific) {
  parts <- strsplit(scientific, "e", fixed = TRUE)[[1]]
  sign <- if (startsWith(parts[[1]], "-")) "-" else ""
  digits <- sub("0+$", "", gsub("[-.]", "", parts[[1]]))
  power <- as.integer(parts[[2]])
  if (!nzchar(digits)) return(paste0(sign, "0.0"))
  count <- nchar(digits)
  if (power < -4 || power >= 16) {
    rest <- substr(digits, 2, count)
    exponent <- sprintf("e%s%02d", if (power < 0) "-" else "+", abs(power))
    return(paste0(sign, substr(digits, 1, 1), if (nzchar(rest)) ".", rest, exponent))
  }
  if (power < 0) return(paste0(sign, "0.", strrep("0", -power - 1), digits))
  digits <- paste0(digits, strrep("0", max(0, power + 2 - count)))
  paste0(sign, substr(digits, 1, power + 1), ".", substr(digits, power + 2, nchar(digits)))
}
