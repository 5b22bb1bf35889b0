"""The loop: order of steps, triggers, retraining, promotion, rollback, backtest."""
