import * as Flags from '@oclif/core/flags'
import { BaseCommand } from '../cli/command.js'
import { formatVerify } from '../cli/format-verify.js'

/** `weft verify`: everything recomputed from the entries. */
export default class Verify extends BaseCommand {
  static override summary = 'Check every signature, hash and byte of the repository'
  static override description =
    `Recomputes all of it from the entries alone and trusts no index: signatures, chains, entry digests, tree roots, and the SHA-256 of every version of every file. Ends with status 3 where anything is damaged, and names the version, path and key of each damage.`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --quick',
    '<%= config.bin %> <%= command.id %> --json',
  ]
  static override flags = {
    quick: Flags.boolean({ summary: 'Check chains and tips only' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Verify)
    await using repo = await this.openRepository()
    const report = await repo.verify({ quick: flags.quick, ...this.progress })
    if (!report.ok) this.exitDamaged()
    await this.answer(report, formatVerify)
  }
}
