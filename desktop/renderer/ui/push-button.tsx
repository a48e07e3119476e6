import { useId, type ReactElement, type ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { Icon, type IconName } from './icons.tsx'

interface Props {
  readonly children: ReactNode
  readonly icon?: IconName
  readonly kind?: 'plain' | 'main' | 'quiet' | 'danger' | 'quiet-danger'
  readonly small?: boolean
  readonly label?: string
  readonly description?: string
  /** Why it cannot be pressed. It keeps its position and the focus, and does nothing. */
  readonly blocked?: string | null
  readonly busy?: boolean
  readonly type?: 'button' | 'submit'
  readonly onPress?: () => void
}

/** The button of HQ. A blocked one carries its reason instead of vanishing or losing the focus. */
export function PushButton({
  children,
  icon,
  kind = 'plain',
  small = false,
  label,
  description,
  blocked = null,
  busy = false,
  type = 'button',
  onPress,
}: Props): ReactElement {
  const says = description ?? blocked
  const inert = blocked !== null || busy
  const saysId = useId()
  return (
    <>
      <Button
        type={inert ? 'button' : type}
        className={`button ${kind === 'plain' || inert ? '' : `button-${kind}`} ${small ? 'button-small' : ''}`}
        {...(label === undefined ? {} : { 'aria-label': label })}
        {...(says === null ? {} : { 'aria-describedby': saysId })}
        aria-disabled={inert ? 'true' : undefined}
        onPress={() => {
          if (!inert) onPress?.()
        }}
      >
        {icon && <Icon name={icon} small={small} />}
        <span className="ellipsis" {...(blocked === null ? {} : { title: blocked })}>
          {children}
        </span>
      </Button>
      {says !== null && (
        <span id={saysId} hidden>
          {says}
        </span>
      )}
    </>
  )
}
