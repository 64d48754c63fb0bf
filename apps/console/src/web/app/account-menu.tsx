import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Check, ChevronsUpDown, CircleHelp, KeyRound, LogOut } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { explain } from '../shared/api-error.ts';
import { setPreference, usePreferences } from '../shared/preferences.ts';
import { sessionQuery, signOut, useMe } from '../shared/session.ts';
import { showToast } from '../shared/toasts.ts';

export function useSignOut(): () => void {
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: signOut,
    async onSuccess() {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, null);
      await navigate({ to: '/sign-in', search: {} });
    },
    onError: error => showToast('bad', 'Not signed out', explain(error).message),
  });
  return () => leave.mutate();
}

interface AccountMenuProps {
  readonly onHelp: () => void;
  readonly onPassword: () => void;
}

export function AccountMenu({ onHelp, onPassword }: AccountMenuProps) {
  const me = useMe();
  const { theme, zone } = usePreferences();
  const leave = useSignOut();
  if (!me) return null;
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="account">
        <span className="avatar" aria-hidden="true" data-hue={me.user.id % 6}>
          {me.user.email.slice(0, 1).toUpperCase()}
        </span>
        <span className="account-name">
          <span>{me.user.email}</span>
          <small>{me.user.role}</small>
        </span>
        <ChevronsUpDown size={15} aria-hidden="true" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" sideOffset={8} align="start" collisionPadding={8}>
          <Choice
            label="Theme"
            value={theme}
            options={{ system: 'As the system', light: 'Light', dark: 'Dark' }}
            onChange={value => setPreference('theme', value)}
          />
          <DropdownMenu.Separator className="menu-line" />
          <Choice
            label="Times"
            value={zone}
            options={{ local: 'Local', utc: 'UTC' }}
            onChange={value => setPreference('zone', value)}
          />
          <DropdownMenu.Separator className="menu-line" />
          <DropdownMenu.Item className="menu-item" onSelect={onHelp}>
            <CircleHelp size={16} aria-hidden="true" />
            Keyboard and help
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item" onSelect={onPassword}>
            <KeyRound size={16} aria-hidden="true" />
            Change password
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item" onSelect={leave}>
            <LogOut size={16} aria-hidden="true" />
            Sign out
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: Readonly<Record<T, string>>;
  readonly onChange: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <DropdownMenu.RadioGroup value={value} onValueChange={next => onChange(next as T)}>
      <DropdownMenu.Label className="menu-label">{label}</DropdownMenu.Label>
      {Object.entries<string>(options).map(([option, name]) => (
        <DropdownMenu.RadioItem
          key={option}
          value={option}
          className="menu-item"
          onSelect={event => event.preventDefault()}
        >
          <span className="menu-check">
            <DropdownMenu.ItemIndicator>
              <Check size={15} aria-hidden="true" />
            </DropdownMenu.ItemIndicator>
          </span>
          {name}
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}
