"""The PyTorch trainer that the jobs run: `python -m trainer +experiments=<instance> run_name=<instance>`.

`trainer.config` is what stack files import; it is cheap and knows neither torch nor the simulator.
"""
