import { at, required, VERSION_HELP } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatSignerChange, KEY_HELP } from '../../cli/format-signers.js'

/** `weft key revoke`: what this key signs from now on does not count. */
export default class KeyRevoke extends BaseCommand {
  static override summary = 'Revoke a key'
  static override description =
    `What the key signed up to a version stays valid, by default all that is here now; what comes later is refused. What came in before is not taken out: weft verify tells of it. Others have to be told: nobody else learns of this.\n\n${KEY_HELP}\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3f2a9c01',
    '<%= config.bin %> <%= command.id %> Ana --at v1.2',
  ]
  static override args = { key: required('Key to revoke') }
  static override flags = { at: { ...at, summary: 'What it signed up to this version stays valid' } }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KeyRevoke)
    await using repo = await this.openRepository()
    const { revokeSigner } = await import('../../repo/signer-list.js')
    await this.answer(await revokeSigner(repo, args.key, flags.at), formatSignerChange)
  }
}
