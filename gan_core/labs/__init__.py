"""Labs: a question, a prediction, settings to turn and a goal that the machine checks, each in one file."""
