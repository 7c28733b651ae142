/**
 * Random git histories, imported at once and bit by bit: every file of every version reads as git has it, and what is
 * stored verifies.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toLatin1 } from '../src/base/bytes.js'
import { importGit, openIdentity, Repository } from '../src/index.js'
import { random } from './support/random.js'
import { type RandomHistory, randomHistory } from './support/random-history.js'
import { nowhere } from './support/temp.js'
import { HOME } from './support/weft.js'

const chance = random('random histories')

/** Imports a history, in batches of so many versions, and compares all of it. */
async function check({ dir: source, commits }: RandomHistory, batchVersions: number | undefined): Promise<void> {
  const said = `${source}, seed ${chance.seed}, batches of ${batchVersions}`
  const dir = nowhere('random')
  const identity = await openIdentity(HOME)
  const report = await importGit({ source, dir, identity, check: true, batchVersions })
  assert.equal(report.checked, commits.length, said)
  await using repo = await Repository.open(dir)
  for (const { id, files } of commits) {
    const listed = await repo.list({ at: id })
    assert.deepEqual(listed.map(({ path }) => path).sort(), [...files.keys()].sort(), `paths of ${id}, ${said}`)
    for (const [path, content] of files) {
      assert.equal(toLatin1(await repo.read(path, { at: id })), content, `${path} of ${id}, ${said}`)
    }
  }
  const { damage } = await repo.verify()
  assert.deepEqual(damage, [], said)
}

describe('random histories', () => {
  for (let round = 1; round <= 3; round++) {
    it(`read as git has them, and verify: ${round}`, async () => {
      const history = randomHistory(40, chance)
      await check(history, undefined)
      await check(history, 1 + chance.below(12))
    })
  }
})
