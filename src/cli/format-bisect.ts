/**
 * Bisection in words.
 * @module
 */
import type { VersionInfo } from '../repo/results.js'
import type { BisectEnd, BisectReport } from '../worktree/bisect.js'
import { count, person, shortId } from './format.js'
import { failureLines } from './format-work.js'
import type { Style } from './style.js'

/** Where it stands, and what usually comes next. */
export function formatBisect(report: BisectReport, style: Style): string {
  const { safe } = style
  const lines = statusLines(report, style)
  if (report.carried.length > 0)
    lines.push(`Unsaved changes were carried along: ${report.carried.map(safe).join(', ')}.`)
  return `${[...lines, ...failureLines(report.failures, safe)].join('\n')}\n`
}

function statusLines(report: BisectReport, style: Style): string[] {
  const { status, version, candidates = [] } = report
  switch (status) {
    case 'waiting':
      return [waiting(report)]
    case 'testing':
      return [
        report.base === true
          ? 'A good version is not in the past of the bad one: whether it was good where they parted must be known first.'
          : remaining(report),
        `Now test  ${line(version as VersionInfo, style)}`,
        'Then say weft bisect good, weft bisect bad, or weft bisect skip where it cannot be tested.',
      ]
    case 'found': {
      const { author } = version as VersionInfo
      return [
        `The first bad version is ${line(version as VersionInfo, style)}`,
        `${style.safe(person(author))}, ${author.time.slice(0, 10)}. weft show ${shortId(version?.id ?? '')} shows it; weft bisect reset goes back.`,
      ]
    }
    case 'unclear':
      return [
        'All that is left was skipped. The first bad version is one of these:',
        ...candidates.map((candidate) => `  ${line(candidate, style)}`),
        'weft bisect reset goes back.',
      ]
  }
}

/** Where it stands while a command tests: without what a person would have to do next. */
export function formatTesting(report: BisectReport, style: Style): string {
  return `${statusLines(report, style).slice(0, 2).join('\n')}\n`
}

function remaining({ left = 0, steps = 0 }: BisectReport): string {
  if (left === 0) return 'This is the last test.'
  return `${count(left, 'version')} left after this one, about ${count(steps, 'more test')}.`
}

function waiting({ bad, good }: BisectReport): string {
  if (bad !== undefined) return 'Now name a version that is good: weft bisect good <version>.'
  if (good.length > 0) return 'Now name a version that is bad: weft bisect bad [version].'
  return 'Now name a version that is bad and one that is good: weft bisect bad [version], weft bisect good <version>.'
}

function line({ id, message }: VersionInfo, { bold, safe }: Style): string {
  return `${bold(shortId(id))} ${safe(message.split('\n', 1)[0] ?? '')}`
}

export function formatBisectEnd({ branch, version, carried, failures }: BisectEnd, { safe }: Style): string {
  const where = branch === undefined ? `the version ${shortId(version ?? '')}` : safe(branch)
  const lines = [`Back on ${where}.`]
  if (carried.length > 0) lines.push(`Unsaved changes were carried along: ${carried.map(safe).join(', ')}.`)
  return `${[...lines, ...failureLines(failures, safe)].join('\n')}\n`
}
