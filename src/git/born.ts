/**
 * The git commit of a version that was born here: an ordinary one, and always the same.
 *
 * It follows from the version and its parents' commits alone, so that every replica makes the same commit, today and later.
 * People, times and message are the version's own, as far as git takes them: what `git fsck` would object to in a name
 * (angle brackets, newlines, NULs) is left out, as git itself does when it commits, and a message ends in a newline.
 *
 * Tags are likewise: one that says something becomes an annotated tag, by whoever set it.
 *
 * A version that was joined with others and is to be one step in the log (note's extra `squash`) has one parent in git.
 * @module
 */
import { concatBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import type { Header, Ident, VersionRef } from '../history/header.js'
import { isSquashed, type Note } from '../history/note.js'
import { formatCommit, formatIdent } from './commit.js'

/** Characters that git takes off both ends of a name or address. */
const CRUD_FIRST = /^[\0-\x20.,:;<>"\\']+/
const CRUD_LAST = /[\0-\x20.,:;<>"\\']+$/

/** Minutes of the first zone for which four digits are too few. */
const ZONE_LIMIT = 100 * 60

/** The parents of a version that are parents of its commit too. */
export function gitParents<P = VersionRef>(parents: readonly P[], note: Note): readonly P[] {
  return isSquashed(note) ? parents.slice(0, 1) : parents
}

/**
 * The commit object.
 *
 * @param tree - Hex id of its tree.
 * @param parents - Hex ids of the commits of the git parents.
 */
export function bornCommit(
  { author, committer }: Pick<Header, 'author' | 'committer'>,
  note: Note,
  tree: string,
  parents: readonly string[],
): Uint8Array {
  return formatCommit({
    tree,
    parents,
    author: tidyIdent(author),
    committer: tidyIdent(committer),
    message: tidyMessage(note.message),
    rest: { id: new Uint8Array(0) },
  })
}

/**
 * The annotated tag of a tag that was made here and says something.
 *
 * @param name - Short name, a binary string.
 * @param commit - Hex id of the commit it names.
 * @param tagger - Who set it, and when.
 */
export function bornTag(name: string, commit: string, tagger: Ident, message: Uint8Array): Uint8Array {
  const head = `object ${commit}\ntype commit\ntag ${name}\ntagger ${formatIdent(tidyIdent(tagger))}\n\n`
  return concatBytes(fromLatin1(head), tidyMessage(message))
}

function tidyIdent({ name, email, time, zone }: Ident): Ident {
  return {
    name: tidyName(name),
    email: tidyName(email),
    // git has no words for times before 1970, and four digits for zones.
    time: Math.max(0, time),
    zone: Math.abs(zone) < ZONE_LIMIT ? zone : 0,
  }
}

function tidyName(bytes: Uint8Array): Uint8Array {
  const text = toLatin1(bytes).replace(/[\0\n<>]/g, '')
  return fromLatin1(text.replace(CRUD_FIRST, '').replace(CRUD_LAST, ''))
}

function tidyMessage(bytes: Uint8Array): Uint8Array {
  const text = toLatin1(bytes).replaceAll('\0', '')
  return fromLatin1(text === '' || text.endsWith('\n') ? text : `${text}\n`)
}
