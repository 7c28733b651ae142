import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatSignerChange, KEY_HELP } from '../../cli/format-signers.js'

/** `weft key rename`: what a key is called here. */
export default class KeyRename extends BaseCommand {
  static override summary = 'Give a key a name'
  static override description =
    `The name is for you: it stays in this repository on this machine, and the key can be called by it from then on.\n\n${KEY_HELP}`
  static override examples = ['<%= config.bin %> <%= command.id %> 3f2a9c01 "Ana Ruiz"']
  static override args = { key: required('Key to name'), name: required('What it is to be called') }

  async run(): Promise<void> {
    const { args } = await this.parse(KeyRename)
    await using repo = await this.openRepository()
    const { renameSigner } = await import('../../repo/signer-list.js')
    await this.answer(await renameSigner(repo, args.key, args.name), formatSignerChange)
  }
}
