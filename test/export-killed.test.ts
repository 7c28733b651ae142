/**
 * Export, killed at random instants: what git has is whole, refs lead to what is there, and the next run completes.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { ExportReport } from '../src/index.js'
import { fixture } from './support/corpus.js'
import { expectClean, exported, refsOf } from './support/exported.js'
import { git } from './support/git.js'
import { importedFrom } from './support/imported.js'
import { random } from './support/random.js'
import { nowhere } from './support/temp.js'
import { type Outcome, weft, weftJson } from './support/weft.js'

const KILLS = 25

function killedAfter(milliseconds: number, args: readonly string[]): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined
  return weft(args, {
    onStart: (child) => {
      timer = setTimeout(() => child.kill('SIGKILL'), milliseconds)
    },
  }).finally(() => clearTimeout(timer))
}

describe('export, killed', () => {
  it(`completes when it is run again, ${KILLS} times`, async () => {
    const chance = random('export killed')
    const { dir } = await importedFrom(fixture('small'))
    const calm = nowhere('calm')
    const begun = performance.now()
    await weftJson<ExportReport>(['git', 'export', '-C', dir, calm])
    const takes = performance.now() - begun
    let died = 0
    for (let i = 0; i < KILLS; i++) {
      const after = 20 + chance.below(Math.round(takes * 1.1))
      const said = `kill ${i + 1}, after ${after} ms, seed ${chance.seed}`
      const target = nowhere('rough')
      const args = ['git', 'export', '-C', dir, target, '--json']
      const outcome = await killedAfter(after, args)
      if (outcome.signal === 'SIGKILL') died++
      else assert.equal(outcome.status, 0, `${outcome.stderr}${outcome.stdout} ${said}`)
      if (existsSync(join(target, '.git', 'refs'))) {
        for (const line of refsOf(target)) git(target, ['cat-file', '-e', line.split(' ')[0] as string])
      }
      const report = await exported(dir, target, false)
      assert.deepEqual(report.refused, [], said)
      assert.deepEqual(refsOf(target), refsOf(calm), said)
      assert.equal(git(target, ['status', '--porcelain']).toString(), '', said)
      if (i % 8 === 0) expectClean(target, said)
    }
    assert.ok(died > 0, 'no run lasted long enough to be killed')
  })
})
