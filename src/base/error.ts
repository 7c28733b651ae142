/**
 * Expected failures: one error class, and the table of every code it may carry.
 *
 * Three kinds of "it did not work" are kept apart:
 * - absence is a value, `undefined`, never an exception;
 * - an expected failure (a damaged record, an unknown version, a locked store) is a `CodedError`;
 * - a broken precondition is a `TypeError` or `RangeError` that names argument, wish and finding.
 *
 * Callers branch on `code`, never on the text. The command line turns the blame of a code into an exit status
 * (user 1, usage 2, data 3, bug 70). Nothing in this file depends on anything else.
 * @module
 */

/**
 * Whose move it is: `user` asked for something that is not there or not possible, `usage` is a malformed request,
 * `data` is damaged or refused data, `bug` is a fault of weft itself.
 */
export type Blame = 'user' | 'usage' | 'data' | 'bug'

/** Every code with its blame, alphabetically. Adding a code is a minor release, removing one a major. */
export const CODES = {
  ADDRESS_UNUSABLE: 'user',
  ARCHIVE_LIMIT: 'user',
  BAD_KEY: 'data',
  BAD_RECORD: 'data',
  BAD_WEAVE: 'data',
  BISECT_NONE: 'user',
  BISECT_REVERSED: 'user',
  BISECT_STOPPED: 'user',
  BISECT_UNDER_WAY: 'user',
  BODY_TOO_LARGE: 'user',
  BRANCH_CURRENT: 'user',
  BRANCH_DIVERGED: 'user',
  BRANCH_UNMERGED: 'user',
  BUNDLE_BAD: 'data',
  BUNDLE_DAMAGED: 'data',
  BUNDLE_EMPTY: 'user',
  BUNDLE_INCOMPLETE: 'user',
  CHAIN_BROKEN: 'data',
  CHUNK_MISSING: 'data',
  CLOCK_AHEAD: 'data',
  CLOCK_EXHAUSTED: 'data',
  CLONE_REFUSED: 'data',
  COMMAND_UNKNOWN: 'usage',
  CONFIG_BAD: 'user',
  CONFIG_UNKNOWN: 'user',
  CONFIG_UNSET: 'user',
  CONFLICTS_LEFT: 'user',
  CONTENT_DAMAGED: 'data',
  CONTENT_UNKNOWN: 'user',
  DIR_IS_FILE: 'user',
  DIR_NOT_EMPTY: 'user',
  DIR_NOT_FOUND: 'user',
  DISK_DENIED: 'user',
  DISK_FULL: 'user',
  DISK_IO: 'user',
  EDITOR_FAILED: 'user',
  ENTRIES_DIFFER: 'data',
  ENTRY_CONFLICT: 'data',
  ENTRY_STRAY: 'data',
  EQUIVOCATION: 'data',
  FILE_CHANGING: 'user',
  FILE_EXISTS: 'user',
  FILE_TOO_LARGE: 'user',
  FILE_UNREADABLE: 'user',
  FORMAT_BAD: 'data',
  FORMAT_NEWER: 'user',
  GIT_FAILED: 'data',
  GIT_FORMAT: 'user',
  GIT_MISSING: 'user',
  GIT_NAME_BAD: 'user',
  GIT_NOT_FORWARD: 'user',
  GIT_NOT_FOUND: 'user',
  GIT_OBJECT_BAD: 'data',
  GIT_OBJECT_MISSING: 'data',
  GIT_SHALLOW: 'user',
  GIT_TAG_DIFFERS: 'user',
  GIT_WORK_TREE: 'user',
  HEAD_DAMAGED: 'data',
  INDEX_DAMAGED: 'data',
  INDEX_LOCKED: 'user',
  INDEX_MISSING: 'user',
  INPUT_UNREADABLE: 'user',
  KEY_DAMAGED: 'data',
  KEY_MISSING: 'user',
  KEY_UNKNOWN: 'user',
  KEY_UNSAFE: 'user',
  LINE_OPEN: 'user',
  MARKERS_LEFT: 'user',
  MERGE_UNDER_WAY: 'user',
  MESSAGE_EMPTY: 'user',
  METHOD_UNKNOWN: 'user',
  NAME_BAD: 'user',
  NAME_TAKEN: 'user',
  NOTHING_TO_COMMIT: 'user',
  NOTHING_TO_MERGE: 'user',
  NOTHING_TO_PICK: 'user',
  NOTHING_TO_REDO: 'user',
  NOTHING_TO_SHELVE: 'user',
  NOTHING_TO_UNDO: 'user',
  NO_CONFLICTS: 'user',
  OPERATION_DAMAGED: 'data',
  OPERATION_PENDING: 'user',
  OPERATION_UNKNOWN: 'user',
  ORIGIN_FALSE: 'data',
  PAGE_CORRUPT: 'data',
  PATCH_BAD: 'data',
  PATCH_REJECTED: 'user',
  PATH_BLOCKED: 'user',
  PATH_COLLISION: 'user',
  PATH_TAKEN: 'user',
  PATH_TOO_LONG: 'user',
  PATH_UNKNOWN: 'user',
  PATH_UNSAFE: 'data',
  PROTOCOL_OTHER: 'user',
  RDX_CAUSAL: 'user',
  RDX_MIXED: 'user',
  RDX_TEXT: 'data',
  RDX_VALUE: 'user',
  REF_BROKEN: 'data',
  REF_UNKNOWN: 'user',
  REMOTE_BAD: 'user',
  REMOTE_FAILED: 'user',
  REMOTE_NONE: 'user',
  REMOTE_NOT_FOUND: 'user',
  REMOTE_UNKNOWN: 'user',
  REMOTE_UNREACHABLE: 'user',
  REPO_EXISTS: 'user',
  REPO_NOT_FOUND: 'user',
  REPO_OTHER: 'user',
  SERVER_BUSY: 'user',
  SERVER_FAILED: 'bug',
  SHELF_UNKNOWN: 'user',
  SIGNATURE_BAD: 'data',
  SIGNERS_DAMAGED: 'data',
  SIGNER_AMBIGUOUS: 'user',
  SIGNER_REVOKED: 'user',
  SIGNER_UNKNOWN: 'user',
  SIGNER_UNTRUSTED: 'user',
  STATE_DAMAGED: 'data',
  STORE_CLOSED: 'bug',
  STORE_CORRUPT: 'data',
  STORE_FULL: 'user',
  STORE_IO: 'user',
  STORE_LOCKED: 'user',
  STORE_MISSING: 'user',
  STORE_READONLY: 'user',
  STREAM_CLASH: 'data',
  STREAM_UNKNOWN: 'data',
  SYNC_ASIDE_FULL: 'data',
  SYNC_CUT: 'user',
  SYNC_DENIED: 'user',
  SYNC_FRAME: 'data',
  SYNC_PEER: 'user',
  TLS_UNUSABLE: 'user',
  TOKEN_DAMAGED: 'data',
  TOKEN_EXPOSED: 'user',
  TOKEN_NEEDED: 'user',
  TOKEN_REFUSED: 'user',
  TOKEN_UNKNOWN: 'user',
  TOO_MANY_REQUESTS: 'user',
  TREE_MISMATCH: 'data',
  TYPE_UNKNOWN: 'user',
  USAGE: 'usage',
  USER_UNKNOWN: 'user',
  VERSION_MISSING: 'data',
  V_AMBIGUOUS: 'user',
  V_NOT_ONE: 'user',
  V_UNKNOWN: 'user',
  WORKTREE_ABSENT: 'user',
  WOULD_LOSE: 'user',
} as const satisfies Record<string, Blame>

/** The name of one expected failure. */
export type Code = keyof typeof CODES

/** What an error may say beyond its message. */
export interface ErrorDetails {
  /** What to do next, a sentence. */
  readonly hint?: string | undefined
  /** The error that led to this one. */
  readonly cause?: unknown
  /** Facts for programs, JSON-ready: paths, keys, offsets, candidates. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
}

/** An expected failure. Example: `new CodedError('V_UNKNOWN', 'No version matches "x".', { hint: 'Run weft log.' })`. */
export class CodedError extends Error {
  override readonly name = 'CodedError'
  /** Stable across releases; messages are not. */
  readonly code: Code
  readonly hint: string | undefined
  readonly data: Readonly<Record<string, unknown>> | undefined

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.hint = details.hint
    this.data = details.data
  }

  /** Whose move it is. */
  get blame(): Blame {
    return CODES[this.code]
  }
}
