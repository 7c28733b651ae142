/**
 * Names that branches and tags may have: those that git takes, so that every name can go there.
 *
 * @see git, Documentation/git-check-ref-format.txt.
 * @module
 */
import { decodeUtf8, encodeUtf8, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { parseVector } from '../lseq/vector.js'

/** Bytes of the longest name. */
const NAME_LIMIT = 255

/**
 * The bytes of a new branch's or tag's name, as a binary string.
 *
 * @param kind - For the message: `branch`.
 * @throws {CodedError} `NAME_BAD`.
 */
export function parseRefName(name: string, kind: 'branch' | 'tag' = 'branch'): string {
  const reason = badName(name)
  if (reason === undefined) return toLatin1(encodeUtf8(name))
  throw new CodedError('NAME_BAD', `${JSON.stringify(name)} cannot be the name of a ${kind}: ${reason}.`, {
    hint: 'Use letters, digits, dots, dashes and slashes, as in fix/line-endings.',
  })
}

function badName(name: string): string | undefined {
  const bytes = encodeUtf8(name)
  if (name === '') return 'it is empty'
  if (bytes.length > NAME_LIMIT) return `it is longer than ${NAME_LIMIT} bytes`
  if (decodeUtf8(bytes) !== name) return 'it is not valid Unicode'
  if (/[\p{Cc} ~^:?*[\\\u2028\u2029]/u.test(name)) return 'it has a space or one of ~ ^ : ? * [ \\ in it'
  if (name.includes('..')) return 'it has two dots in a row'
  if (name.includes('@{') || name === '@') return 'it has @{ in it'
  if (name.startsWith('-')) return 'it begins with a dash, as options do'
  if (name.startsWith('/') || name.endsWith('/') || name.includes('//')) return 'a part of it is empty'
  if (name.endsWith('.')) return 'it ends with a dot'
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'))) {
    return 'a part of it begins with a dot or ends with .lock'
  }
  if (name === 'HEAD') return 'that is the current branch'
  if (parseVector(name) !== undefined) return 'it looks like a version vector'
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(name)) return 'it looks like the id of a version'
  return undefined
}
