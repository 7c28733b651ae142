import * as Flags from '@oclif/core/flags'
import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatSignerChange, KEY_HELP } from '../../cli/format-signers.js'

/** `weft key trust`: what this key signs may come in. */
export default class KeyTrust extends BaseCommand {
  static override summary = 'Trust a key'
  static override description =
    `With weft config sync.signers trusted, only versions that you or trusted keys signed are taken in. Compare the fingerprint with its owner first, in person or by telephone: weft key shows it to them. A key that has not written here yet is named by all 64 digits of its public half.\n\n${KEY_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f2a9c01',
    '<%= config.bin %> <%= command.id %> Ana --again',
  ]
  static override args = { key: required('Key to trust') }
  static override flags = {
    again: Flags.boolean({ summary: 'Also where it was revoked: that is taken back' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KeyTrust)
    await using repo = await this.openRepository()
    const { trustSigner } = await import('../../repo/signer-list.js')
    await this.answer(await trustSigner(repo, args.key, flags), formatSignerChange)
  }
}
