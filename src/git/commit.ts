/**
 * git commit objects: taken apart into what a version's header holds, and put together again, byte for byte.
 *
 * A version has its own fields for author, committer and message. What else a commit object holds beyond its tree and
 * parents goes into extra records called `git`, so that the object can be written again with the same id. The one in the
 * header is the commit's id (20 or 32 bytes). The one in the version's note, which is left out where it would be empty, is
 * a sequence of ToyTLV records:
 *
 *     a  author line's bytes behind "author ", only where the header's fields do not give them back
 *     c  committer line's bytes, likewise
 *     h  everything between the committer line and the blank line, verbatim (encoding, gpgsig, mergetag, ...)
 *     w  the whole object, only where the parts above do not give it back (`a`, `c` and `h` are then absent)
 *     t  a tree of this commit that its files alone do not give back (odd modes' padding, empty directories):
 *        path, 0x00, raw tree object. Repeated, in path order.
 * @module
 */
import { concatBytes, equalBytes, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Ident } from '../history/header.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'

/** An author or committer line as it should be. The name may be missing together with the space behind it. */
const STRICT = /^(.*?) ?<([^<>]*)> (-?\d{1,15}) ([+-])(\d\d)(\d\d)$/s
/** One with its angle brackets, time or zone out of order. */
const LOOSE = /^([^<]*?) ?<([^>\s]*)>?\D*(?:(\d{1,15})(?!\d)(?: ([+-])(\d\d)(\d\d)$)?)?/
/** One without an opening bracket. The empty group stands for the address. */
const BARE = /^(.*?)() ?(?:(\d{1,15}) ([+-])(\d\d)(\d\d))?$/s

const NOTHING = new Uint8Array(0)

/** A commit object in parts. */
export interface Commit {
  /** Hex ids. */
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Ident
  readonly committer: Ident
  readonly message: Uint8Array
  readonly rest: CommitRest
}

/** What a commit object holds beyond the fields of a header; parts that those give back are undefined. */
export interface CommitRest {
  readonly id: Uint8Array
  readonly author?: Uint8Array | undefined
  readonly committer?: Uint8Array | undefined
  readonly headers?: Uint8Array | undefined
  readonly whole?: Uint8Array | undefined
}

/** A tree object kept raw. */
export interface OddTree {
  /** Directory, a binary string without slashes at its ends; empty for the root. */
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * Takes a commit object apart.
 *
 * @param id - Its id, which the caller trusts git to have checked.
 * @param bytes - The object without git's own header.
 * @throws {CodedError} `GIT_OBJECT_BAD` where there is no tree line: not even git would take it.
 */
export function parseCommit(id: Uint8Array, bytes: Uint8Array): Commit {
  const text = toLatin1(bytes)
  const blank = text.indexOf('\n\n')
  const headers = blank < 0 ? text : text.slice(0, blank + 1)
  const message = blank < 0 ? new Uint8Array(0) : Uint8Array.from(bytes.subarray(blank + 2))
  const match = /^tree ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)(?:author ([^\n]*)\n)?(?:committer ([^\n]*)\n)?/.exec(
    headers,
  )
  if (match === null) {
    throw new CodedError('GIT_OBJECT_BAD', `The git commit ${toHex(id)} has no tree line.`, {
      hint: 'Run `git fsck --full` on the source.',
    })
  }
  const [lines, tree = '', parentLines = '', authorLine = '', committerLine = ''] = match
  const parents = parentLines
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice('parent '.length))
  const author = parseIdent(authorLine)
  const committer = parseIdent(committerLine)
  const others = headers.slice(lines.length)
  const rest: CommitRest = {
    id,
    author: formatIdent(author) === authorLine ? undefined : fromLatin1(authorLine),
    committer: formatIdent(committer) === committerLine ? undefined : fromLatin1(committerLine),
    headers: others === '' ? undefined : fromLatin1(others),
  }
  const commit = { tree, parents, author, committer, message, rest }
  return equalBytes(formatCommit(commit), bytes) ? commit : { ...commit, rest: { id, whole: Uint8Array.from(bytes) } }
}

/** Puts a commit object together again. */
export function formatCommit(commit: Commit): Uint8Array {
  const { rest } = commit
  if (rest.whole !== undefined) return rest.whole
  let text = `tree ${commit.tree}\n`
  for (const parent of commit.parents) text += `parent ${parent}\n`
  text += `author ${rest.author === undefined ? formatIdent(commit.author) : toLatin1(rest.author)}\n`
  text += `committer ${rest.committer === undefined ? formatIdent(commit.committer) : toLatin1(rest.committer)}\n`
  if (rest.headers !== undefined) text += toLatin1(rest.headers)
  return concatBytes(fromLatin1(`${text}\n`), commit.message)
}

/** The value of the note's extra record; empty where there is no need for one. */
export function encodeRest(rest: CommitRest, trees: readonly OddTree[]): Uint8Array {
  const out = new TlvWriter(64)
  if (rest.author !== undefined) out.record('A', rest.author)
  if (rest.committer !== undefined) out.record('C', rest.committer)
  if (rest.headers !== undefined) out.record('H', rest.headers)
  if (rest.whole !== undefined) out.record('W', rest.whole)
  for (const { path, bytes } of trees) out.record('T', concatBytes(fromLatin1(`${path}\0`), bytes))
  return out.copy()
}

/**
 * @param id - The value of the header's extra record.
 * @throws {CodedError} `BAD_RECORD` for bytes that `encodeRest` does not write.
 */
export function decodeRest(
  id: Uint8Array,
  bytes: Uint8Array = NOTHING,
): CommitRest & { readonly trees: readonly OddTree[] } {
  const reader = new TlvReader(bytes)
  const rest = {
    id,
    author: reader.optional('A'),
    committer: reader.optional('C'),
    headers: reader.optional('H'),
    whole: reader.optional('W'),
  }
  const trees: OddTree[] = []
  while (!reader.atEnd) {
    const tree = reader.expect('T')
    const end = tree.indexOf(0)
    if (end < 0) throw new CodedError('BAD_RECORD', 'A raw tree has no path.')
    trees.push({ path: toLatin1(tree, 0, end), bytes: tree.subarray(end + 1) })
  }
  return { ...rest, trees }
}

/** Name, email, seconds and zone as git writes them; lines of another form give what can be read of them. */
function parseIdent(line: string): Ident {
  const [, name = line, email = '', time = '0', sign, hours = '0', minutes = '0'] =
    STRICT.exec(line) ?? LOOSE.exec(line) ?? BARE.exec(line) ?? []
  const zone = Number(hours) * 60 + Number(minutes)
  return { name: fromLatin1(name), email: fromLatin1(email), time: Number(time), zone: sign === '-' ? 0 - zone : zone }
}

/** The line's bytes behind its first word, as a binary string. */
export function formatIdent({ name, email, time, zone }: Ident): string {
  const minutes = Math.abs(zone)
  const digits = String(Math.floor(minutes / 60) * 100 + (minutes % 60)).padStart(4, '0')
  return `${toLatin1(name)} <${toLatin1(email)}> ${time} ${zone < 0 ? '-' : '+'}${digits}`
}
