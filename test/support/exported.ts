/**
 * Exports as tests look at them: through git.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { exportGit, Repository } from '../../src/index.js'
import type { ExportReport } from '../../src/repo/results.js'
import { GIT_ENVIRONMENT, git } from './git.js'
import { HOME } from './weft.js'

/** Exports through the library. */
export async function exported(dir: string, target: string, bare = true): Promise<ExportReport> {
  await using repository = await Repository.open(dir, { home: HOME })
  return await exportGit({ repository, target, bare })
}

/** Branches and tags of a git repository with what they name: `id type name`. */
export function refsOf(dir: string): string[] {
  const text = git(dir, ['for-each-ref', '--format=%(objectname) %(objecttype) %(refname)', 'refs/heads', 'refs/tags'])
  return text.toString('latin1').split('\n').filter(Boolean)
}

/** What `git fsck --full` says, sorted, without what nothing leads to. */
export function complaints(dir: string): string[] {
  const { stdout, stderr } = spawnSync('git', ['fsck', '--full', '--no-progress'], { cwd: dir, env: GIT_ENVIRONMENT })
  const lines = `${stdout}${stderr}`.split('\n')
  return lines.filter((line) => line !== '' && !line.startsWith('dangling ')).sort()
}

/** Everything in a repository must be as git wants it, and reached. */
export function expectClean(dir: string, said = ''): void {
  const { stdout, stderr, status } = spawnSync('git', ['fsck', '--full', '--strict', '--no-progress'], {
    cwd: dir,
    env: GIT_ENVIRONMENT,
  })
  assert.deepEqual([`${stdout}${stderr}`, status], ['', 0], `fsck of ${dir} ${said}`)
}
