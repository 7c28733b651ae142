/**
 * Versions in words: `weft log` and `weft show`.
 * @module
 */
import type { PathChange, VersionDetail, VersionInfo } from '../repo/results.js'
import { dateTime, indent, person, sameHands, shortId } from './format.js'
import type { Style } from './style.js'

/** One version of a log, an empty line after it, in the manner of `git log`. */
export function formatVersion(version: VersionInfo, style: Style, names: readonly string[] = []): string {
  const { safe } = style
  const { parents, author, git } = version
  return [
    `${style.yellow(`version ${shortId(version.id)}`)}${formatNames(names, style)}\n`,
    git === undefined ? '' : `git:    ${git}\n`,
    parents.length > 1 ? `Merge:  ${parents.map(shortId).join(' ')}\n` : '',
    `Author: ${safe(person(author))}\n`,
    `Date:   ${dateTime(author.time)}\n`,
    `\n${safe(indent(version.message.trimEnd()))}\n\n`,
  ].join('')
}

/** One version in full: header, signer, what changed, patch. */
export function formatDetail(version: VersionDetail, style: Style): string {
  const { safe } = style
  const { id, git, parents, author, committer, changes, patch } = version
  return [
    `${style.yellow(`version ${id}`)}${formatNames(version.names, style)}\n`,
    git === undefined ? '' : `git:     ${git}\n`,
    ...parents.map((parent) => `Parent:  ${parent}\n`),
    `Author:  ${safe(person(author))}\nDate:    ${dateTime(author.time)}\n`,
    sameHands(version) ? '' : `Commit:  ${safe(person(committer))}\n         ${dateTime(committer.time)}\n`,
    `Signer:  ${version.signer}\n`,
    `Stream:  ${version.stream}, up to seq ${version.seq}\n`,
    `\n${safe(indent(version.message.trimEnd()))}\n`,
    changes.length === 0 ? '' : `\n${changes.map((change) => formatChange(change, style)).join('')}`,
    patch === '' ? '' : `\n${colourPatch(safe(patch), style)}`,
  ].join('')
}

function formatNames(names: readonly string[], style: Style): string {
  return names.length === 0 ? '' : ` (${names.map((name) => style.cyan(style.safe(name))).join(', ')})`
}

const LETTER = { added: 'A', deleted: 'D', modified: 'M', renamed: 'R', mode: 'T' } as const

/** `M  path`, `R  old -> new`, with the modes where they differ. */
function formatChange({ change, path, from, mode, oldMode, binary }: PathChange, { safe }: Style): string {
  const modes = mode !== undefined && oldMode !== undefined && mode !== oldMode ? ` (${oldMode} -> ${mode})` : ''
  const moved = from === undefined ? '' : `${safe(from)} -> `
  return `${LETTER[change]}  ${moved}${safe(path)}${modes}${binary ? ' (binary)' : ''}\n`
}

/** Lines of a patch that stand outside of hunks and say what happened to a file. */
const PATCH_HEADER = /^(diff |index |--- |\+\+\+ |(new|old|deleted) |rename |similarity )/

/** `@@ -old,count +new,count @@`; a count of one may be left out. */
const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/

/** Colours a unified diff line by line. The lines of a hunk are counted, so a removed `-- x` is not taken for a header. */
export function colourPatch(patch: string, style: Style): string {
  let removed = 0
  let added = 0
  const colour = (line: string): string => {
    if (removed <= 0 && added <= 0) {
      const hunk = HUNK.exec(line)
      if (!hunk) return PATCH_HEADER.test(line) ? style.bold(line) : line
      removed = Number(hunk[1] ?? 1)
      added = Number(hunk[2] ?? 1)
      return style.cyan(line)
    }
    if (line.startsWith('\\')) return line
    if (!line.startsWith('+')) removed--
    if (!line.startsWith('-')) added--
    return line.startsWith('+') ? style.green(line) : line.startsWith('-') ? style.red(line) : line
  }
  return patch.split('\n').map(colour).join('\n')
}
