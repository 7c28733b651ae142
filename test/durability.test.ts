/**
 * The process is killed at random instants. What was acknowledged is there, the store opens and verifies, and the next
 * run goes on to the same end as one that nobody disturbed.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { ImportReport, Snapshot, VerifyReport } from '../src/index.js'
import { compareRepositories, importBundle } from './suites/roundtrip.js'
import { corpus, fixture } from './support/corpus.js'
import { GitMirror } from './support/git.js'
import { random } from './support/random.js'
import { nowhere } from './support/temp.js'
import { type Outcome, weft, weftJson } from './support/weft.js'

/** Runs weft and kills it after `milliseconds`, unless it has ended by then. */
function killedAfter(milliseconds: number, args: readonly string[]): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined
  return weft(args, {
    onStart: (child) => {
      timer = setTimeout(() => child.kill('SIGKILL'), milliseconds)
    },
  }).finally(() => clearTimeout(timer))
}

/** Whatever the kill left behind is a whole repository, or plainly none yet. */
async function expectWhole(dir: string, said: string): Promise<void> {
  if (!existsSync(dir)) return
  const outcome = await weft(['verify', '-C', dir, '--json'])
  const answer = JSON.parse(outcome.stdout.toString()) as VerifyReport | { error: { code: string } }
  if ('error' in answer) assert.deepEqual([answer.error.code, outcome.status], ['REPO_NOT_FOUND', 1], said)
  else
    assert.deepEqual(
      { ok: answer.ok, damage: answer.damage, status: outcome.status },
      { ok: true, damage: [], status: 0 },
      said,
    )
}

/** Imports with `kills` interruptions, spread over the time that an import takes. */
async function interrupted(bundle: string, dir: string, kills: number, seconds: number, name: string): Promise<void> {
  const chance = random(name)
  let died = 0
  for (let i = 0; i < kills; i++) {
    const after = 60 + chance.below(Math.round(seconds * 1000))
    const outcome = await killedAfter(after, ['git', 'import', bundle, dir, '--json'])
    if (outcome.signal === 'SIGKILL') died++
    else assert.equal(outcome.status, 0, outcome.stderr)
    await expectWhole(dir, `${name}, kill ${i + 1}, after ${after} ms, seed ${chance.seed}`)
  }
  assert.ok(died > 0, 'no run lasted long enough to be killed')
}

function durabilitySuite(name: string, bundle: string, kills: number, skip: string | false): void {
  it(`import of ${name}, killed up to ${kills} times`, { skip }, async () => {
    const mirror = new GitMirror(bundle)
    const [calm, rough] = [nowhere('calm'), nowhere('rough')]
    const begun = performance.now()
    await importBundle(bundle, calm)
    await interrupted(bundle, rough, kills, (performance.now() - begun) / 1000, name)
    await importBundle(bundle, rough, '--check')
    assert.equal((await importBundle(bundle, rough)).versions, 0)
    await expectWhole(rough, 'in the end')
    const commits = mirror.commits()
    await compareRepositories(
      rough,
      calm,
      mirror,
      commits.filter((_, i) => i % Math.ceil(commits.length / 50) === 0),
    )
  })
}

describe('durability', () => {
  durabilitySuite('oddities', fixture('oddities'), 8, false)
  const express = corpus('express')
  durabilitySuite('express', express.path, 3, express.skip)

  it('an import killed early on, again and again', async () => {
    const dir = nowhere('early')
    for (let after = 40; after < 500; after += 40) {
      await killedAfter(after, ['git', 'import', fixture('small'), dir])
      await expectWhole(dir, `after ${after} ms`)
    }
    const report = await importBundle(fixture('small'), dir)
    assert.ok(report.versions >= 0)
    const mirror = new GitMirror(fixture('small'))
    const calm = nowhere('calm')
    assert.equal((await importBundle(fixture('small'), calm)).versions, mirror.commits().length)
    await compareRepositories(dir, calm, mirror, mirror.commits())
  })

  it('snapshots: what was acknowledged is kept', async () => {
    const dir = nowhere('snapshots')
    await weftJson<ImportReport>(['git', 'import', fixture('small'), dir])
    const chance = random('snapshots')
    const acknowledged: string[] = []
    for (let i = 0; i < 10; i++) {
      const outcome = await killedAfter(100 + chance.below(250), ['snapshot', 'create', `s${i}`, '-C', dir, '--json'])
      if (outcome.status === 0) acknowledged.push(`s${i}`)
    }
    await weftJson(['snapshot', 'create', 'last', '-C', dir])
    await expectWhole(dir, `seed ${chance.seed}`)
    const names = (await weftJson<Snapshot[]>(['snapshot', 'list', '-C', dir])).map(({ name }) => name)
    for (const name of [...acknowledged, 'last']) assert.ok(names.includes(name), `${name} is lost`)
  })
})
