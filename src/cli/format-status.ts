/**
 * The work tree in words: `weft status`.
 * @module
 */
import { quotePath, unformatPath } from '../repo/path-text.js'
import type { StatusChange, StatusReport } from '../worktree/status.js'
import { columns, count, indent, shortId } from './format.js'
import type { Style } from './style.js'

/** How a status is shown. */
export interface StatusView {
  /** Lines of one group to show at most: a terminal has only so many. */
  readonly most?: number | undefined
  /** How a path is written, all from the root as it is. */
  readonly typed?: ((path: string) => string) | undefined
}

export function formatStatus(
  report: StatusReport,
  plain: Style,
  { most = Number.POSITIVE_INFINITY, typed = (path) => path }: StatusView = {},
): string {
  const style = { ...plain, typed }
  const groups: (readonly [title: string, lines: readonly string[]])[] = [
    ['Conflicts', report.conflicts.map(({ path, kind }) => style.red(`${shown(path, style)}  (${kind})`))],
    ['Changed', changedLines(report, style)],
    ['New', newLines(report, style)],
    ['Not readable, so not compared', report.unreadable.map(({ path, code }) => `${shown(path, style)}  (${code})`)],
    ['Never tracked', report.special.map(({ path, kind }) => `${shown(path, style)}  (${SPECIAL[kind]})`)],
    ['Repositories of their own, not looked into', report.nested.map((path) => `${shown(path, style)}/`)],
    [
      'The file system takes two names for one',
      report.clashes.map((c) => `${shown(c.path, style)}  is  ${shown(c.with, style)}`),
    ],
    ['Ignored', (report.ignored ?? []).map((path) => style.dim(shown(path, style)))],
  ]
  const filled = groups.filter(([, lines]) => lines.length > 0)
  const body = filled.map(([title, lines]) => `\n${title}:\n${indent(shortened(lines, most).join(''), '  ')}`)
  return `${standing(report, style)}${elsewhere(report, style)}${doing(report, style)}${aside(report)}${body.join('')}${filled.length > 0 ? '\n' : ''}${next(report)}`
}

interface PathStyle extends Style {
  readonly typed: (path: string) => string
}

/** A path on one line, whatever is in it. */
function shown(path: string, { safe, typed }: PathStyle): string {
  return path.includes('\n') ? quotePath(unformatPath(path)) : safe(typed(path))
}

const SPECIAL = {
  fifo: 'a pipe',
  socket: 'a socket',
  device: 'a device',
  name: 'a name that no work tree may have',
} as const

const WORDS: Readonly<Record<StatusChange['change'], string>> = {
  added: 'new',
  deleted: 'deleted',
  modified: 'modified',
  mode: 'mode',
  renamed: 'renamed',
  type: 'type',
}

/** Lines, each with its newline, as many as may be shown. */
function shortened(lines: readonly string[], most: number): string[] {
  const all = lines.map((line) => `${line}\n`)
  if (all.length <= most) return all
  return [...all.slice(0, most - 1), `... and ${count(all.length - most + 1, 'more', 'more')}\n`]
}

function standing({ branch, version }: StatusReport, { bold, yellow, safe }: Style): string {
  const at = version === undefined ? undefined : yellow(shortId(version))
  if (branch === undefined) return at === undefined ? 'On no branch yet.\n' : `On no branch, at version ${at}\n`
  return at === undefined
    ? `On branch ${bold(safe(branch))}, which has no version yet.\n`
    : `On branch ${bold(safe(branch))}, at version ${at}\n`
}

/** What became of the branch elsewhere. */
function elsewhere({ newerHeads = [], otherHeads = [] }: StatusReport, { yellow }: Style): string {
  const ids = (heads: readonly string[]): string => heads.map((id) => yellow(shortId(id))).join(', ')
  if (otherHeads.length === 0 && newerHeads.length === 0) return ''
  if (otherHeads.length === 0 && newerHeads.length === 1) {
    return `The branch has gone on to ${ids(newerHeads)}: \`weft merge\` brings the files there.\n`
  }
  return `The branch has other heads, ${ids([...newerHeads, ...otherHeads])}: \`weft merge\` joins them.\n`
}

/** What is under way. */
function doing({ merge, pick, bisect }: StatusReport, { safe }: Style): string {
  if (bisect !== undefined) {
    return 'Bisecting: test this version, then weft bisect good, bad or skip; weft bisect reset ends it.\n'
  }
  if (merge !== undefined) return `Merging ${safe(merge.names.join(', '))}.\n`
  if (pick === undefined) return ''
  return `${pick.kind === 'pick' ? 'Picking' : 'Reverting'} ${shortId(pick.version)}.\n`
}

function aside({ shelves }: StatusReport): string {
  return shelves === undefined
    ? ''
    : `Put aside: ${count(shelves, 'shelf', 'shelves')} (weft unshelve, weft shelve --list).\n`
}

function changedLines({ changes }: StatusReport, style: PathStyle): string[] {
  const paint = (change: StatusChange['change']) => (change === 'deleted' ? style.red : style.cyan)
  const changed = changes.filter(({ change }) => change !== 'added')
  const rows = changed.map(({ path, change, from }) => [
    WORDS[change],
    from === undefined ? shown(path, style) : `${shown(from, style)} -> ${shown(path, style)}`,
  ])
  const lines = columns(rows).split('\n').slice(0, -1)
  return lines.map((line, i) => paint(changed[i]?.change ?? 'modified')(line))
}

/** New files, those in new directories as one line for the directory. */
function newLines({ changes, newDirectories }: StatusReport, style: PathStyle): string[] {
  const lines: string[] = []
  const added = changes.filter(({ change }) => change === 'added').map(({ path }) => path)
  for (let i = 0; i < added.length; ) {
    const path = added[i] as string
    const directory = newDirectories.find((one) => path.startsWith(one))
    const from = i++
    if (directory !== undefined) while (added[i]?.startsWith(directory)) i++
    const files = i - from
    const name = directory === undefined ? shown(path, style) : `${shown(directory, style)}  (${count(files, 'file')})`
    lines.push(style.green(name))
  }
  return lines
}

/** What usually comes next. */
function next(report: StatusReport): string {
  const { clean, interrupted, merge, pick, version, changes, conflicts, unreadable } = report
  if (interrupted)
    return 'Another weft command is at work here, or was interrupted; the next one finishes what it began.\n'
  if (conflicts.length > 0) {
    const all = conflicts.length === 1 ? 'it' : 'them'
    return `${count(conflicts.length, 'conflict')}: edit the file and \`weft resolve <path>\`, or take a side with --ours or --theirs, to settle ${all}; then \`weft commit\`.\n`
  }
  if (merge !== undefined || pick !== undefined) return 'No conflicts are left: `weft commit` makes the version.\n'
  if (!clean) {
    const all = changes.length === 1 ? 'it' : 'them'
    return `${count(changes.length, 'change')}: \`weft diff\` shows ${all}, \`weft commit -m <text>\` makes a version of ${all}.\n`
  }
  if (unreadable.length > 0) return 'Nothing else to commit.\n'
  return version === undefined ? 'Nothing to commit yet: there are no files.\n' : 'Nothing to commit.\n'
}
