# What the engine's R kernel runs: the library attached, errors told by class and line, IRkernel.
#
# The library stands on the search path, below the notebook's own variables: `rm(list = ls())` does
# not remove it.

# Asked for its time zone, R asks timedatectl, which only warns where systemd is out of reach, as in
# a confined run. The machine's own file tells the same.
local({
  zone <- Sys.readlink("/etc/localtime")
  if (!nzchar(Sys.getenv("TZ")) && grepl("/zoneinfo/", zone)) {
    Sys.setenv(TZ = sub("^.*/zoneinfo/", "", zone))
  }
})

local({
  folder <- Sys.getenv("WARDBOOK_R")
  shelf <- attach(NULL, name = "wardbook")
  for (file in c("wardbook.R", "csv.R", "delimited.R")) {
    sys.source(file.path(folder, file), envir = shelf, keep.source = FALSE)
  }

  # IRkernel names every error "ERROR". The engine wants its class, and the line in IPython's words;
  # a data problem is shown as code and places before, for the text of an error holds data values.
  shelf$.wardbook.error <- function(condition, calls, frames, cell) {
    if (inherits(condition, "DataProblem")) {
      details <- condition$details
      if (!length(details)) names(details) <- character()
      problem <- list(code = condition$code, details = details)
      IRdisplay::publish_mimebundle(list("application/vnd.wardbook.problem+json" = problem))
    }
    message <- conditionMessage(condition)
    class <- if (.wardbook.is_full(condition)) "OutOfMemoryError" else class(condition)[[1]]
    line <- .wardbook.line(message, frames)
    place <- if (length(line)) sprintf("Cell In[%d], line %d", cell, line)
    told <- vapply(calls, function(call) substr(deparse(call, nlines = 1L)[[1]], 1, 200), "")
    list(ename = class, evalue = message, traceback = as.list(c(place, told, message)))
  }

  shelf$.wardbook.is_full <- function(condition) {
    full <- "^(cannot allocate (vector|memory)|(vector )?memory exhausted|std::bad_alloc)"
    isTRUE(grepl(full, conditionMessage(condition)))
  }

  # Where R's stack overflows it calls no handler, and to IRkernel the cell went well; so it does for
  # one that quits. Returns the class of such an error. What stays is R's text of the last error that
  # `try` caught, as IRkernel runs everything in it; it is overwritten for the next cell.
  shelf$.wardbook.swallowed <- function(payload) {
    last <- geterrmessage()
    try(stop(), silent = TRUE)
    full <- "(C stack usage|nested too deeply|(node|protection) stack overflow)"
    quits <- vapply(payload, function(one) identical(one$source, "ask_exit"), TRUE)
    if (grepl(full, last)) "stackOverflowError" else if (any(unlist(quits))) "quit"
  }

  # IPython counts a cell's lines from the first that is not blank, and so is it told here.
  shelf$.wardbook.line <- function(message, frames) {
    syntax <- regmatches(message, regexec("^<text>:([0-9]+):[0-9]+:", message))[[1]]
    if (length(syntax)) return(as.integer(syntax[[2]]))
    for (frame in frames) {
      if (is.data.frame(frame$parsed) && is.numeric(frame$i)) {
        before <- paste(frame$parsed$src[seq_len(frame$i - 1L)], collapse = "")
        before <- sub("^[ \t\n]+", "", before)
        return(lengths(regmatches(before, gregexpr("\n", before))) + 1L)
      }
    }
    integer()
  }
})

local({
  kernel <- IRkernel:::Kernel$new(connection_file = commandArgs(TRUE)[[1]])
  # IRkernel has no hook for errors: this object's own method is put in the place of its class's.
  kernel$executor$execute  # a method, and those that it calls, get into the object when looked at
  executor <- as.environment(kernel$executor)
  handle_error <- function(e) {
    # An error that cannot be told, perhaps for want of memory, must not be lost.
    err <<- tryCatch(
      .wardbook.error(e, sys.calls()[-seq_len(nframe + 1L)], sys.frames(), execution_count),
      error = function(other) {
        class <- if (.wardbook.is_full(other)) "OutOfMemoryError" else class(e)[[1]]
        list(ename = class, evalue = "", traceback = list())
      }
    )
    if (!is_silent()) send_response("error", current_request, "iopub", err)
  }
  environment(handle_error) <- executor
  executor$handle_error <- handle_error

  send <- kernel$executor$send_response
  kernel$executor$send_response <- function(msg_type, parent_msg, socket_name, content) {
    if (msg_type == "execute_reply" && content$status == "ok") {
      class <- .wardbook.swallowed(content$payload)
      if (length(class)) {
        error <- list(ename = class, evalue = class, traceback = list())
        send("error", parent_msg, "iopub", error)
        count <- content$execution_count
        content <- c(list(status = "error", execution_count = count), error)
      }
    }
    send(msg_type, parent_msg, socket_name, content)
  }
  kernel$run()
})
