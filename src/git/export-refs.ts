/**
 * Which branches and tags an export sets, and which it must not.
 *
 * A branch in git only ever goes forward, a tag is set once, and nothing that git has and weft does not is thrown away.
 * What cannot be set is a refusal: a value with a code, so that all else is still exported.
 * @module
 */
import { toHex } from '../base/bytes.js'
import type { Code, CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { isDeletion, type Ref } from '../history/refs.js'
import { formatPath } from '../repo/path-text.js'
import type { Refusal } from '../repo/results.js'
import type { TargetRef } from './target.js'

/** A ref to export. */
export interface ExportRef {
  /** Full name in git, a binary string. */
  readonly name: string
  readonly isBranch: boolean
  readonly ref: Ref
}

const FOLDERS = { b: 'refs/heads/', t: 'refs/tags/' } as const

/** The branches and tags with one value each and a name that git takes; what is wrong with the others. */
export function chooseRefs(
  refs: readonly Ref[],
  there: ReadonlyMap<string, TargetRef>,
): { chosen: ExportRef[]; refused: Refusal[] } {
  const heads = new Map<string, Ref[]>()
  for (const ref of refs) {
    if (ref.kind === 's' || isDeletion(ref.value)) continue
    getOrMake(heads, FOLDERS[ref.kind] + ref.name, () => [] as Ref[]).push(ref)
  }
  const chosen: ExportRef[] = []
  const refused: Refusal[] = []
  const names = [...new Set([...heads.keys(), ...there.keys()])]
  for (const [name, values] of heads) {
    const [ref] = values
    if (ref === undefined) continue
    const problem = problemOf(name, values, names, there)
    if (problem === undefined) chosen.push({ name, isBranch: ref.kind === 'b', ref })
    else refused.push(problem)
  }
  return { chosen, refused }
}

function problemOf(
  name: string,
  values: readonly Ref[],
  names: readonly string[],
  there: ReadonlyMap<string, TargetRef>,
): Refusal | undefined {
  if (values.length > 1) {
    const ids = values.map(({ value }) => (value.version ? toHex(value.version.id).slice(0, 12) : 'an object'))
    return refusal(
      name,
      'BRANCH_DIVERGED',
      `Here, ${shown(name)} stands at ${values.length} versions at once: ${ids.join(', ')}.`,
      {
        hint: 'On that branch, `weft merge` makes one of them; then export again.',
      },
    )
  }
  if (!isRefName(name)) {
    return refusal(name, 'GIT_NAME_BAD', `git has no branches or tags with a name like ${shown(name)}.`, {
      hint: 'Give it another name here.',
    })
  }
  // git keeps refs as files, so that a name cannot be the folder of another.
  const other = there.has(name)
    ? undefined
    : names.find((known) => known.startsWith(`${name}/`) || name.startsWith(`${known}/`))
  if (other === undefined) return undefined
  return refusal(name, 'GIT_NAME_BAD', `git cannot have ${shown(name)} beside ${shown(other)}.`, {
    hint: 'Rename one of the two.',
  })
}

/** A refused ref; `name` is a binary string. */
export function refusal(name: string, code: Code, message: string, { hint }: { hint: string }): Refusal {
  return { ref: formatPath(name), code, message, hint }
}

/** The refusal that says what an error says. */
export function refusalOf(name: string, error: CodedError): Refusal {
  return refusal(name, error.code, error.message, { hint: error.hint ?? '' })
}

/** A ref's name for people: `the branch main`. */
export function shown(name: string): string {
  if (name.startsWith(FOLDERS.b)) return `the branch ${formatPath(name.slice(FOLDERS.b.length))}`
  if (name.startsWith(FOLDERS.t)) return `the tag ${formatPath(name.slice(FOLDERS.t.length))}`
  return formatPath(name)
}

/** The rules of git-check-ref-format(1) for a full name. */
function isRefName(name: string): boolean {
  const parts = name.split('/')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what git refuses
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{/.test(name) || name.endsWith('.')) return false
  return parts.every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
}
