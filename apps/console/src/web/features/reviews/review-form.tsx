import { useMutation } from '@tanstack/react-query';
import { LockKeyhole, Send, Star } from 'lucide-react';
import { useId, useState } from 'react';
import { permissionsOf, useMe } from '../../shared/session.ts';
import { Button } from '../../shared/ui/button.tsx';
import { FormError } from '../../shared/ui/form-error.tsx';
import { postReview } from './review-data.ts';
import { addPending } from './use-pending-reviews.ts';

const textMax = 10_000;

export function ReviewForm({ onAccepted }: { readonly onAccepted: () => void }) {
  const role = useMe()?.user.role;
  const allowed = permissionsOf(role).writeReviews;
  const [rating, setRating] = useState(0);
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const id = useId();
  const send = useMutation({
    mutationFn: postReview,
    onSuccess(accepted, review) {
      addPending({ accepted, rating: review.rating, text: review.text, acceptedAtMs: Date.now() });
      setRating(0);
      setText('');
      setTried(false);
      onAccepted();
    },
  });

  return (
    <form
      className="panel review-form form"
      aria-labelledby={`${id}-title`}
      onSubmit={event => {
        event.preventDefault();
        setTried(true);
        if (allowed && rating > 0) send.mutate({ rating, text: text.trim() });
      }}
    >
      <h2 id={`${id}-title`}>Write a review</h2>
      <RatingField value={rating} onChange={setRating} missing={tried && rating === 0} disabled={!allowed} />
      <div className="field">
        <label htmlFor={`${id}-text`}>Text</label>
        <textarea
          id={`${id}-text`}
          className="input"
          rows={5}
          maxLength={textMax}
          disabled={!allowed}
          value={text}
          onChange={event => setText(event.target.value)}
        />
      </div>
      {send.isError && <FormError error={send.error} />}
      {!allowed && (
        <p id={`${id}-reason`} className="banner banner-info">
          <LockKeyhole size={16} aria-hidden="true" />
          <span>
            You are signed in as <strong>{role}</strong>. Operators and admins may write reviews.
          </span>
        </p>
      )}
      <Button
        type="submit"
        variant="primary"
        icon={<Send size={15} />}
        busy={send.isPending}
        disabled={!allowed}
        aria-describedby={allowed ? undefined : `${id}-reason`}
      >
        Send review
      </Button>
      <p className="field-hint">
        It becomes a <code>review_created</code> event on <code>events.main</code>, keyed by your account.
      </p>
    </form>
  );
}

interface RatingFieldProps {
  readonly value: number;
  readonly onChange: (rating: number) => void;
  readonly missing: boolean;
  readonly disabled: boolean;
}

const words = ['', 'poor', 'fair', 'good', 'very good', 'excellent'] as const;

/** Five radio buttons that look like stars, so that arrow keys and screen readers know them. */
function RatingField({ value, onChange, missing, disabled }: RatingFieldProps) {
  const name = useId();
  return (
    <fieldset className="rating" disabled={disabled} aria-describedby={`${name}-note`}>
      <legend>Rating</legend>
      <div className="rating-stars">
        {[1, 2, 3, 4, 5].map(step => (
          <label key={step} className={step <= value ? 'rating-on' : ''}>
            <input
              type="radio"
              className="visually-hidden"
              name={name}
              value={step}
              checked={step === value}
              aria-label={`${step} of 5, ${words[step] ?? ''}`}
              onChange={() => onChange(step)}
            />
            <Star size={26} aria-hidden="true" />
          </label>
        ))}
        <span className="rating-word muted" aria-hidden="true">
          {words[value]}
        </span>
      </div>
      <p id={`${name}-note`} className={missing ? 'field-error' : 'visually-hidden'}>
        {missing ? 'Choose one to five stars.' : ''}
      </p>
    </fieldset>
  );
}
