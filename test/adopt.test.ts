/**
 * A work tree after an import with its files: daily work goes on from there at once.
 * @module
 */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import type { CommitReport } from '../src/index.js'
import { fixture } from './support/corpus.js'
import { nowhere } from './support/temp.js'
import { weft, weftJson } from './support/weft.js'

it('a work tree that was imported with its files has no changes, and takes commits', async () => {
  const dir = nowhere('adopt')
  const env = { WEFT_AUTHOR_NAME: 'Ada', WEFT_AUTHOR_EMAIL: 'ada@example.com' }
  assert.equal((await weft(['git', 'import', fixture('small'), dir, '--checkout'])).status, 0)
  const before = await weftJson<{ clean: boolean; version: string }>(['-C', dir, 'status'])
  assert.equal(before.clean, true)
  appendFileSync(join(dir, 'README.md'), 'one line more\n')
  const report = await weftJson<CommitReport>(['-C', dir, 'commit', '-m', 'more'], { env })
  assert.deepEqual(report.changes, [{ path: 'README.md', change: 'modified' }])
  assert.deepEqual(report.parents, [before.version])
  const verified = await weftJson<{ ok: boolean }>(['-C', dir, 'verify'])
  assert.equal(verified.ok, true)
})
