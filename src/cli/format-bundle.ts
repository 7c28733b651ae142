/**
 * Bundles in words.
 * @module
 */
import type { BundleInfo } from '../sync/bundle-info.js'
import { columns, count, shortId, size } from './format.js'
import type { Style } from './style.js'

/** Names and versions listed one by one. */
const SHOWN = 20

export function formatBundleMade(info: BundleInfo, { safe, bold }: Style): string {
  const { file, bytes, whole } = info
  const what = whole ? 'everything' : `${brought(info)}, for whoever has what was there before`
  return `Made ${bold(safe(file))} (${size(bytes)}): ${what}.\n`
}

export function formatBundleInfo(info: BundleInfo, style: Style): string {
  const { file, bytes, repository, branch, whole, refs, needs } = info
  const { safe, bold, dim, yellow } = style
  const lines = [
    `${bold(safe(file))}: ${brought(info)} of the repository ${yellow(shortId(repository))} (${size(bytes)}).`,
    whole
      ? `It is whole, and can be cloned${branch === undefined ? '' : `: on branch ${safe(branch)}`}.`
      : `It needs ${count(needs.length, 'version')} that ${needs.length === 1 ? 'is' : 'are'} not in it.`,
  ]
  const rows = refs.slice(0, SHOWN).map(({ kind, name, after }) => {
    const ids = after.map((id) => yellow(shortId(id))).join(' and ')
    return [dim(kind), safe(name), after.length > 0 ? ids : kind === 'snapshot' ? '' : 'deleted']
  })
  lines.push(
    ...columns(rows)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `  ${line}`),
  )
  if (refs.length > SHOWN) lines.push(`  ... and ${refs.length - SHOWN} more`)
  lines.push(...hereLines(info, style))
  return `${lines.join('\n')}\n`
}

function brought({ versions, nameVersions }: BundleInfo): string {
  const parts = versions > 0 || nameVersions === 0 ? [count(versions, 'version')] : []
  if (nameVersions > 0) parts.push(count(nameVersions, 'change of names', 'changes of names'))
  return parts.join(' and ')
}

function hereLines({ here, versions, nameVersions }: BundleInfo, { red, green, safe }: Style): string[] {
  if (here === undefined) return []
  const { same, missing, known } = here
  if (!same) return [red('It is of another repository than this one.')]
  if (known === versions + nameVersions) return ['All of it is here already.']
  if (missing.length === 0) return [green('This repository can take it: weft bundle apply.')]
  const shown = missing.slice(0, SHOWN).map(safe).join(', ')
  const more = missing.length > SHOWN ? `, and ${missing.length - SHOWN} more` : ''
  return [`Applied here, some of it has to wait for versions that are missing: ${shown}${more}.`]
}
