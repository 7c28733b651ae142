import * as Flags from '@oclif/core/flags'
import { BaseCommand, LOCK_WAIT } from '../cli/command.js'
import { formatRepair, formatVerify } from '../cli/format-verify.js'
import { openRemote, tokenFlag } from '../cli/sync-command.js'

/** `weft verify`: everything recomputed from the entries. */
export default class Verify extends BaseCommand {
  static override summary = 'Check every signature, hash and byte of the repository'
  static override description =
    `Recomputes all of it from the entries alone and trusts no index: signatures, chains, entry digests, tree roots, and the SHA-256 of every version of every file. Ends with status 3 where anything is damaged, and names the version, path and key of each damage.\n\nWith --repair, what is damaged is fetched again from a remote, taken only where it is what was signed here, and put in the place of what is wrong; all else stays as it is. Where files of the store itself are damaged, a new store is made of what can be read of them, and the old one is kept beside.`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --quick',
    '<%= config.bin %> <%= command.id %> --json',
    '<%= config.bin %> <%= command.id %> --repair origin',
  ]
  static override flags = {
    quick: Flags.boolean({ exclusive: ['repair'], summary: 'Check chains and tips only' }),
    repair: Flags.string({ helpValue: '<remote>', summary: 'Fetch what is damaged from a remote, or an address' }),
    token: tokenFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Verify)
    if (flags.repair !== undefined) return this.repair(flags.repair, flags.token)
    await using repo = await this.openRepository()
    const report = await repo.verify({ quick: flags.quick, ...this.progress })
    if (!report.ok) this.exitDamaged()
    await this.answer(report, formatVerify)
  }

  private async repair(wanted: string, token: string | undefined): Promise<void> {
    const [{ findRoot }, { remoteFor }, { repairRepository }] = await Promise.all([
      import('../repo/layout.js'),
      import('../sync/remotes.js'),
      import('../sync/repair.js'),
    ])
    const root = await findRoot(process.cwd())
    const remote = remoteFor(root, wanted)
    await using peer = await openRemote(remote.url, { from: root, home: this.home, token: token ?? remote.token })
    const report = await repairRepository(root, peer, { home: this.home, wait: LOCK_WAIT, ...this.progress })
    if (!report.after.ok) this.exitDamaged()
    await this.answer(report, formatRepair)
  }
}
